//! The downloading phase: puts the code, the input channels and the configuration where the script expects them.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use super::checkpoints;
use super::host::{self, Devices};
use super::reason::with_causes;
use super::running_job::RunningJob;
use crate::archive;
use crate::contract::{Layout, config_files};
use crate::local::guard::PROBE;
use crate::local::store::layout::{Home, create_private_dir};
use crate::local::store::{self, objects, private_file};
use crate::local::{LocalError, LocalResult};
use crate::model::S3Uri;
use crate::model::copies::{JobCopies, path_below};
use crate::model::request::{Channel, CreateTrainingJobRequest};

/// Hyperparameter with the location of the code archive.
const SUBMIT_DIRECTORY: &str = "sagemaker_submit_directory";

/// Creates the job's `/opt/ml`, and returns the layout as the script sees it.
pub(super) async fn input(job: &RunningJob<'_>) -> LocalResult<Layout> {
    let home = job.home.clone();
    let ml = job.folder.ml();
    let request = job.request.clone();
    let copies = job.options.copies.clone();
    let devices = job.devices;
    let staged = tokio::task::spawn_blocking(move || {
        create_layout(&home, &Layout::at(ml), &request, &copies, devices)?;
        store::copies::remove_unused(&home);
        Ok::<_, LocalError>(())
    });
    staged.await.map_err(|error| LocalError::Other(format!("staging the input ended: {error}")))??;
    Ok(if can_mount(job.executable).await? { Layout::opt_ml() } else { Layout::at(job.folder.ml()) })
}

/// Returns whether a private `/opt/ml` can be mounted. Tries it in a child process.
async fn can_mount(executable: &Path) -> LocalResult<bool> {
    let probe = tokio::process::Command::new(executable).arg(PROBE).stdin(std::process::Stdio::null()).output().await;
    let output = probe.map_err(LocalError::io("check whether /opt/ml can be mounted"))?;
    Ok(output.status.success())
}

fn create_layout(
    home: &Home,
    layout: &Layout,
    request: &CreateTrainingJobRequest,
    copies: &JobCopies,
    devices: Devices,
) -> LocalResult<()> {
    let folders =
        [layout.code(), layout.model(), layout.input_config(), layout.output_data(), layout.output_intermediate()];
    folders.iter().try_for_each(|folder| create_private_dir(folder))?;
    checkpoints::link(home, layout, request, copies.checkpoints.as_deref())?;
    for channel in request.input_data_config.iter().flatten() {
        let list = copies.channels.get(&channel.channel_name);
        stage_channel(home, layout, channel, list, &request.output_data_config.s3_output_path)?;
    }
    unpack_code(home, layout, request, &layout.code())?;
    let host = host::describe(request, devices);
    let files = config_files(request, &host).map_err(|error| LocalError::Other(error.to_string()))?;
    files.into_iter().try_for_each(|(name, text)| {
        let path = layout.input_config().join(name);
        let write = || private_file::create(&path)?.write_all(text.as_bytes());
        write().map_err(LocalError::io(format!("write {}", path.display())))
    })
}

/// Unpacks the code archive, which is in S3 or, under network isolation, in a channel.
pub(super) fn unpack_code(
    home: &Home,
    layout: &Layout,
    request: &CreateTrainingJobRequest,
    to: &Path,
) -> LocalResult<()> {
    let Some(location) = code_location(request) else { return Ok(()) };
    let archive = if let Some(below) = location.strip_prefix("/opt/ml/") {
        layout.base().join(below)
    } else {
        let uri = S3Uri::parse(&location).map_err(|error| LocalError::Other(format!("{location}: {error}")))?;
        home.trusted_object(&uri)?
    };
    let file = File::open(&archive).map_err(LocalError::io(format!("read the code {}", archive.display())))?;
    let unpacked = archive::unpack(file, to, &archive::UnpackLimits::default(), &mut ());
    unpacked.map(drop).map_err(|error| LocalError::Other(format!("could not unpack the code: {}", with_causes(&error))))
}

/// Returns the location of the code archive. The toolkit's protocol has it as JSON.
pub(super) fn code_location(request: &CreateTrainingJobRequest) -> Option<String> {
    let value = request.hyper_parameters.as_ref()?.get(SUBMIT_DIRECTORY)?;
    Some(serde_json::from_str(value).unwrap_or_else(|_| value.clone()))
}

/// Copies the objects of a channel: those of a list of what S3 has, or those that local jobs stored.
fn stage_channel(
    home: &Home,
    layout: &Layout,
    channel: &Channel,
    list: Option<&String>,
    output: &str,
) -> LocalResult<()> {
    let Some(source) = &channel.data_source.s3_data_source else { return Ok(()) };
    let named = |error| LocalError::Other(format!("channel {}: {error}", channel.channel_name));
    let prefix = S3Uri::parse(&source.s3_uri).map_err(named)?;
    let folder = layout.channel(&channel.channel_name);
    create_private_dir(&folder)?;
    let stage = |key: &str, content: &Path| {
        let unusable = || LocalError::Other(format!("{} can't be a file", prefix.root().join(key)));
        let to = folder.join(path_below(key, prefix.key()).ok_or_else(unusable)?);
        create_private_dir(to.parent().unwrap_or(&folder))?;
        copy(content, &to)
    };
    if let Some(list) = list {
        for object in store::copies::read(home, &prefix, list)? {
            stage(&object.key, &store::copies::content(home, &prefix, &object)?)?;
        }
        return Ok(());
    }
    for object in objects::list_for_channel(home, &prefix, output)? {
        stage(object.uri.key(), &home.trusted_object(&object.uri)?)?;
    }
    Ok(())
}

/// Copies an object to a file, which the script may change, as in SageMaker's File mode. Shares the object's blocks
/// where the file system supports it.
fn copy(object: &Path, to: &Path) -> LocalResult<()> {
    let copy = || io::copy(&mut File::open(object)?, &mut private_file::create(to)?);
    copy().map(drop).map_err(LocalError::io(format!("copy {} to {}", object.display(), to.display())))
}
