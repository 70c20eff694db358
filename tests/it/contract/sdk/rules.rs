//! The differences that are meant: each with its reason, and applied only where exactly it is found.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Pair;

/// Takes the difference away. Says whether it was there.
type Apply = fn(&mut Pair) -> bool;

/// In the order in which they are applied.
const RULES: [(&str, &str, Apply); 14] = [
    ("job name", "both make one from the time: wherever it comes up, it is JOB", job_name),
    ("code by content", "the same code is stored once, below the output, not for each job", code_by_content),
    ("code fetched first", "an archive in S3 is unpacked into a folder here, and its code stored as any", code_fetched),
    ("provenance", "tags tell which code ran", provenance),
    ("no debugger unasked", "the SDK has every job store tensors that nobody asked for", no_debugger_unasked),
    ("no profiler unasked", "the SDK switches a profiler on, or off, that nobody asked for", no_profiler_unasked),
    ("no empty collections", "an empty list of a hook's collections says the same as none", no_empty_collections),
    ("lists as JSON", "so do the SDK's classes for algorithms; its generic one shows them as Python", lists_as_json),
    ("spot waits", "a spot job without a limit of waiting gets its limit of running; the SDK sends none", spot_waits),
    ("spot checkpoints", "without checkpoints, an interrupted job starts again from nothing", spot_checkpoints),
    ("code as a file", "the toolkit unpacks an archive; the SDK has it piped where the data is", code_as_a_file),
    ("any image runs code", "a driver comes along; the SDK counts on a toolkit in the image", any_image_runs_code),
    ("series of metrics", "a framework is named, which the SDK's generic estimator doesn't know", series_of_metrics),
    ("the user's model_dir", "a hyperparameter that is given is kept; the SDK replaces it", the_users_model_dir),
];

/// Applies all rules. Returns the names of those that were needed.
pub(super) fn apply(pair: &mut Pair) -> Vec<&'static str> {
    RULES.iter().filter(|(_, _, apply)| apply(pair)).map(|(name, ..)| *name).collect()
}

/// The rules that are not in `needed`, with their reasons.
pub(super) fn unneeded(needed: &BTreeSet<&str>) -> Vec<String> {
    let unneeded = RULES.iter().filter(|(name, ..)| !needed.contains(name));
    unneeded.map(|(name, reason, _)| format!("{name}: {reason}")).collect()
}

/// A name made of the spec's folder.
fn job_name(pair: &mut Pair) -> bool {
    let name = pair.ours["TrainingJobName"].as_str().unwrap_or_default().to_owned();
    let time = name.strip_prefix("specs-").unwrap_or_default().split('-').map(str::len);
    time.eq([4, 2, 2, 2, 2, 2, 3]) && replace(&mut pair.ours, &name, "JOB")
}

/// The digest is the one that is told in a tag.
fn code_by_content(pair: &mut Pair) -> bool {
    let tags = pair.ours["Tags"].as_array().into_iter().flatten();
    let digest = tags.filter(|tag| tag["Key"] == "smtrain:code-sha256").find_map(|tag| tag["Value"].as_str());
    let Some(below) = digest.map(|digest| format!("/smtrain/code/{digest}/")) else { return false };
    let source = pair.spec.get("source").and_then(|source| source.get("s3_uri"));
    if let Some(source) = source.and_then(toml::Value::as_str) {
        return replace(&mut pair.ours, &format!("{source}{below}"), &format!("{source}/JOB/source/"));
    }
    let place = format!("{}{below}", output(pair).trim_end_matches('/'));
    replace(&mut pair.ours, &place, "s3://bucket/JOB/source/")
}

/// The archives of JumpStart's models.
fn code_fetched(pair: &mut Pair) -> bool {
    let theirs = pair.theirs.pointer_mut("/HyperParameters/sagemaker_submit_directory");
    let archive = theirs.filter(|uri| uri.as_str().is_some_and(|uri| uri.starts_with("\"s3://jumpstart-cache-")));
    archive.is_some_and(|uri| {
        *uri = json!("\"s3://bucket/JOB/source/sourcedir.tar.gz\"");
        true
    })
}

fn provenance(pair: &mut Pair) -> bool {
    const KEYS: [&str; 4] = ["smtrain:version", "smtrain:code-sha256", "smtrain:git-commit", "smtrain:git-branch"];
    let Some(tags) = pair.ours.get_mut("Tags").and_then(Value::as_array_mut) else { return false };
    let before = tags.len();
    tags.retain(|tag| !tag["Key"].as_str().is_some_and(|key| KEYS.contains(&key)));
    let is_needed = tags.len() != before;
    if is_needed && tags.is_empty() {
        remove(&mut pair.ours, "", "Tags");
    }
    is_needed
}

fn no_debugger_unasked(pair: &mut Pair) -> bool {
    let default = json!({"S3OutputPath": output(pair), "CollectionConfigurations": []});
    let is_needed = !pair.spec.contains_key("debugger") && theirs_alone(pair, "/DebugHookConfig") == Some(&default);
    is_needed && remove(&mut pair.theirs, "", "DebugHookConfig")
}

/// In some regions, and on Trainium, the SDK switches it off.
fn no_profiler_unasked(pair: &mut Pair) -> bool {
    let defaults = [json!({"S3OutputPath": output(pair), "DisableProfiler": false}), json!({"DisableProfiler": true})];
    let is_default = theirs_alone(pair, "/ProfilerConfig").is_some_and(|config| defaults.contains(config));
    let is_needed = !pair.spec.contains_key("profiler") && is_default;
    is_needed && remove(&mut pair.theirs, "", "ProfilerConfig")
}

fn no_empty_collections(pair: &mut Pair) -> bool {
    let theirs = theirs_alone(pair, "/DebugHookConfig/CollectionConfigurations");
    let is_needed = pair.ours.get("DebugHookConfig").is_some() && theirs == Some(&json!([]));
    is_needed && remove(&mut pair.theirs, "/DebugHookConfig", "CollectionConfigurations")
}

/// Only lists and tables of jobs without code: with it, both send JSON.
fn lists_as_json(pair: &mut Pair) -> bool {
    let given = pair.spec.get("hyperparameters").and_then(toml::Value::as_table);
    let Some(given) = given.filter(|_| !pair.spec.contains_key("source")) else { return false };
    let mut is_needed = false;
    for (name, _) in given.iter().filter(|(_, value)| value.is_array() || value.is_table()) {
        let ours = &pair.ours["HyperParameters"][name];
        let theirs = pair.theirs["HyperParameters"].get_mut(name);
        let as_json = |python: &Value| python.as_str().map(|text| text.replace('\'', "\"").replace("True", "true"));
        if let Some(theirs) = theirs.filter(|theirs| *theirs != ours && as_json(theirs).as_deref() == ours.as_str()) {
            *theirs = ours.clone();
            is_needed = true;
        }
    }
    is_needed
}

fn spot_waits(pair: &mut Pair) -> bool {
    let stopping = &pair.ours["StoppingCondition"];
    let is_default = stopping["MaxWaitTimeInSeconds"] == stopping["MaxRuntimeInSeconds"];
    let is_needed = is_spot(pair) && is_default && pair.theirs["StoppingCondition"]["MaxWaitTimeInSeconds"].is_null();
    is_needed && remove(&mut pair.ours, "/StoppingCondition", "MaxWaitTimeInSeconds")
}

fn spot_checkpoints(pair: &mut Pair) -> bool {
    let default = json!({"S3Uri": format!("{}/JOB/checkpoints", output(pair))});
    let is_default = pair.ours["CheckpointConfig"] == default && pair.theirs.get("CheckpointConfig").is_none();
    is_spot(pair) && is_default && remove(&mut pair.ours, "", "CheckpointConfig")
}

fn code_as_a_file(pair: &mut Pair) -> bool {
    let is_file = pair.ours["AlgorithmSpecification"]["TrainingInputMode"] == "File";
    let channels = pair.ours.get_mut("InputDataConfig").and_then(Value::as_array_mut).into_iter().flatten();
    let code = channels.filter(|channel| channel["ChannelName"] == "code" && channel["InputMode"] == "File");
    !is_file && code.fold(false, |_, channel| remove(channel, "", "InputMode"))
}

/// By a driver that comes in a channel, as the code does; in place of hyperparameters for a toolkit in the image.
fn any_image_runs_code(pair: &mut Pair) -> bool {
    if !pair.spec.contains_key("container") || !pair.spec.contains_key("source") {
        return false;
    }
    // Stored by its content, too.
    let driver = pair.ours.pointer("/InputDataConfig/1/DataSource/S3DataSource/S3Uri").and_then(Value::as_str);
    let driver =
        driver.filter(|uri| uri.starts_with("s3://bucket/jobs/smtrain/driver/") && uri.ends_with("/driver.sh"));
    let driver = driver.unwrap_or_default().to_owned();
    let entrypoint = json!(["/bin/sh", "/opt/ml/input/data/sm_drivers/driver.sh"]);
    let code = code_channel("code", "s3://bucket/JOB/source/sourcedir.tar.gz");
    let channels = json!([code, code_channel("sm_drivers", &driver)]);
    let toolkits = json!({
        "sagemaker_submit_directory": "\"s3://bucket/JOB/source/sourcedir.tar.gz\"",
        "sagemaker_program": "\"train.py\"",
        "sagemaker_container_log_level": "20",
        "sagemaker_job_name": "\"JOB\"",
        "sagemaker_region": "\"eu-west-1\"",
    });
    let is_needed = pair.ours["AlgorithmSpecification"]["ContainerEntrypoint"] == entrypoint
        && pair.ours["InputDataConfig"] == channels
        && is_part(&toolkits, &pair.theirs["HyperParameters"]);
    if is_needed {
        remove(&mut pair.ours, "/AlgorithmSpecification", "ContainerEntrypoint");
        remove(&mut pair.ours, "", "InputDataConfig");
        for name in toolkits.as_object().into_iter().flat_map(Map::keys) {
            remove(&mut pair.theirs, "/HyperParameters", name);
        }
    }
    is_needed
}

fn code_channel(name: &str, uri: &str) -> Value {
    let source = json!({"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"});
    json!({"ChannelName": name, "DataSource": {"S3DataSource": source}})
}

/// With an image of one's own, whose framework the spec names.
fn series_of_metrics(pair: &mut Pair) -> bool {
    const FIELD: &str = "EnableSageMakerMetricsTimeSeries";
    let is_named = pair.spec.get("framework").is_some_and(|framework| framework.get("image").is_some());
    let is_needed = is_named && pair.theirs["AlgorithmSpecification"].get(FIELD).is_none();
    is_needed && remove(&mut pair.ours, "/AlgorithmSpecification", FIELD)
}

fn the_users_model_dir(pair: &mut Pair) -> bool {
    let given = pair.spec.get("hyperparameters").and_then(|given| given.get("model_dir")?.as_str());
    let Some(given) = given.map(|given| json!(format!("\"{given}\""))) else { return false };
    let default = format!("\"{}/JOB/model\"", output(pair));
    let (ours, theirs) = (&pair.ours["HyperParameters"], &mut pair.theirs["HyperParameters"]);
    let is_needed = ours["model_dir"] == given && theirs.get("model_dir").is_some_and(|dir| *dir == default);
    if is_needed {
        theirs["model_dir"] = given;
    }
    is_needed
}

fn is_spot(pair: &Pair) -> bool {
    pair.ours["EnableManagedSpotTraining"] == true
}

/// Where both put the job's output.
fn output(pair: &Pair) -> String {
    pair.theirs["OutputDataConfig"]["S3OutputPath"].as_str().unwrap_or_default().to_owned()
}

/// A value that smtrain's request doesn't have.
fn theirs_alone<'a>(pair: &'a Pair, pointer: &str) -> Option<&'a Value> {
    pair.theirs.pointer(pointer).filter(|_| pair.ours.pointer(pointer).is_none())
}

fn is_part(part: &Value, whole: &Value) -> bool {
    part.as_object().is_some_and(|part| part.iter().all(|(name, value)| whole.get(name) == Some(value)))
}

/// Removes a field of the object at `pointer`. Says whether there was one.
fn remove(value: &mut Value, pointer: &str, name: &str) -> bool {
    let object = value.pointer_mut(pointer).and_then(Value::as_object_mut);
    object.is_some_and(|object| object.remove(name).is_some())
}

/// Replaces `from` in every text. Says whether there was one.
fn replace(value: &mut Value, from: &str, to: &str) -> bool {
    match value {
        Value::String(text) => {
            let is_found = text.contains(from);
            *text = text.replace(from, to);
            is_found
        }
        // All of them, however many have it.
        Value::Array(items) => items.iter_mut().map(|item| replace(item, from, to)).filter(|&found| found).count() > 0,
        Value::Object(fields) => {
            fields.values_mut().map(|item| replace(item, from, to)).filter(|&found| found).count() > 0
        }
        _ => false,
    }
}
