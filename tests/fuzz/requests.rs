//! A spec that is accepted is a request that can be sent.

use std::collections::BTreeMap;

use crate::contract::driver::CODE_CHANNEL;
use crate::contract::{Container, Host, Layout, command, config_files};
use crate::images::{self, Catalog};
use crate::job::request::image_query::image_query;
use crate::job::request::{RequestDraft, ResolvedInputs};
use crate::job::spec::{ChannelSource, JobSpec, Workload};
use crate::model::request::CreateTrainingJobRequest;
use crate::model::{JobName, S3Uri};

/// Panics where the spec's request can't be made, written as JSON and read again.
pub(crate) fn is_made(spec: &JobSpec, catalog: &Catalog, local: bool) {
    let place = |text| S3Uri::parse(text).expect("a place in S3");
    let (output, code, driver) =
        (place("s3://bucket/output"), place("s3://bucket/code.tar.gz"), place("s3://bucket/driver.sh"));
    let name = JobName::stamped(&spec.name, jiff::Timestamp::UNIX_EPOCH).expect("a spec's name is the base of one");
    let paths = spec.channels.iter().filter(|channel| matches!(channel.source, ChannelSource::Path(_)));
    let data: BTreeMap<String, S3Uri> = paths.map(|channel| (channel.name.clone(), output.clone())).collect();
    let inputs = ResolvedInputs {
        name: &name,
        region: "eu-west-1",
        role_arn: "arn:aws:iam::111122223333:role/R",
        image: Some("image:1"),
        rules_image: Some("rules:1"),
        output: &output,
        code: spec.source.is_some().then_some(&code),
        data: &data,
        tags: &[("smtrain:version".to_owned(), "0".to_owned())],
    };
    has_image(spec, catalog, local);
    let draft = RequestDraft::build(spec, &inputs).expect("the inputs are complete");
    let written = draft.driver();
    let is_free = spec.request.is_empty();
    assert!(written.is_ok() || !is_free, "{written:?}");
    let driver = written.is_ok_and(|driver| driver.is_some()).then_some(&driver);
    let document = draft.finish(driver).expect("the request is JSON");
    let json = serde_json::to_string(&document).expect("a document is JSON");
    match serde_json::from_str::<CreateTrainingJobRequest>(&json) {
        Ok(typed) => {
            assert_eq!(document.typed().expect("it is the same document"), typed);
            runs_here(spec, &typed);
        }
        Err(error) => assert!(!is_free, "{error}: {json}"),
    }
}

/// The image was looked for when the spec was checked.
fn has_image(spec: &JobSpec, catalog: &Catalog, local: bool) {
    let Some(query) =
        image_query(spec).filter(|query| query.instance_type.is_some_and(|name| name.as_str().starts_with("ml.")))
    else {
        return;
    };
    let tag = images::resolve(catalog, &query).and_then(|choice| choice.tag());
    assert!(local || tag.is_ok(), "{query:?}: {tag:?}");
}

/// The same request by the contract of a job on this computer.
fn runs_here(spec: &JobSpec, request: &CreateTrainingJobRequest) {
    let host =
        Host { cpus: 2, gpus: 0, neurons: 0, network_interface: "eth0".to_owned(), instance_type: "local".to_owned() };
    let layout = Layout::opt_ml();
    let container = Container {
        job_arn: "arn",
        region: None,
        layout: &layout,
        host: &host,
        python: "python3",
        has_setup_py: false,
    };
    config_files(request, &host).expect("texts are JSON");
    let command = command(request, &container);
    let has_script = matches!(spec.workload, Workload::Framework(_))
        && spec.source.as_ref().is_some_and(|source| source.entry_point.is_some());
    assert!(command.is_ok() || !has_script || !spec.request.is_empty(), "{command:?}");
    assert!(
        request.input_data_config.iter().flatten().filter(|channel| channel.channel_name == CODE_CHANNEL).count() <= 1
            || !spec.request.is_empty()
    );
}
