//! What a local job reads from S3: exactly what S3 has, fetched once; and what stays of it when S3 can't be asked.

use serde_json::json;

use crate::support::{CommandOutput, Project, Sandbox, TestAccount, TestResult, normalised};

/// Prints what is in every channel, and in the folder of the checkpoints.
const LIST: &str = "
import json, os, pathlib
def tell(name, folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    print(name, *(f'{path.relative_to(folder)}={path.read_text()}' for path in files))
for name in json.loads(os.environ['SM_CHANNELS']):
    tell(name, pathlib.Path(os.environ['SM_CHANNEL_' + name.upper()]))
";

/// A project that reads from a bucket of its own. The tests call it `numbers`; what it is really called has the account.
struct Numbers {
    sandbox: Sandbox,
    tenant: TestAccount,
    bucket: String,
    project: Project,
}

impl Numbers {
    /// The bucket with objects, and a project whose channel `train` is a prefix of it.
    fn new(prefix: &str, objects: &[(&str, &str)]) -> TestResult<Self> {
        Self::with(LIST, &format!("[channels]\ntrain = 's3://numbers/{prefix}'\n"), objects)
    }

    fn with(script: &str, sections: &str, objects: &[(&str, &str)]) -> TestResult<Self> {
        let (sandbox, tenant) = Sandbox::on_aws()?;
        let bucket = format!("numbers-{}", tenant.account());
        tenant.make_bucket(&bucket)?;
        for (key, content) in objects {
            tenant.put_object(&bucket, key, content.as_bytes())?;
        }
        let project = sandbox.project("proj", script)?;
        Self { sandbox, tenant, bucket, project }.and(sections)
    }

    /// The same bucket with more in the spec.
    fn and(self, sections: &str) -> TestResult<Self> {
        let project = self.project.clone().with(&self.really(sections))?;
        Ok(Self { project, ..self })
    }

    fn really(&self, text: &str) -> String {
        text.replace("s3://numbers", &format!("s3://{}", self.bucket))
    }

    fn put(&self, key: &str, content: &str) -> TestResult {
        self.tenant.put_object(&self.bucket, key, content.as_bytes())
    }

    fn delete(&self, key: &str) -> TestResult {
        self.tenant.delete_object(&self.bucket, key)
    }

    fn deny(&self, operation: &str) -> TestResult {
        self.tenant.rule(&json!({ "fault": "access_denied", "operation": operation }))
    }

    fn submit(&self, args: &[&str], code: i32) -> TestResult<CommandOutput> {
        let args: Vec<String> = args.iter().map(|arg| self.really(arg)).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let command = self.sandbox.smtrain(&["submit", "--local", "--wait", &self.project.spec()]);
        command.args(&args).run()?.expect(code)
    }

    /// Runs a job, and returns what it has read.
    fn read(&self, args: &[&str]) -> TestResult<String> {
        self.sandbox.log(self.submit(args, 0)?.line())
    }

    /// What was said on stderr about what is read, with times and sizes normalized.
    fn told(&self, args: &[&str], code: i32) -> TestResult<String> {
        let said = normalised(&self.submit(args, code)?.stderr.replace(&self.bucket, "numbers"))?;
        let kept = |line: &&str| ["channel", "checkpoint", "error:", "hint:"].iter().any(|word| line.contains(word));
        Ok(said.lines().filter(kept).collect::<Vec<_>>().join("\n"))
    }

    /// The keys of the objects that were fetched since the calls were cleared, sorted.
    fn fetched(&self) -> TestResult<Vec<String>> {
        let calls = self.tenant.calls()?;
        let fetches = calls.iter().filter(|call| call["operation"] == "GetObject");
        let below = format!("{}/", self.bucket);
        let mut keys: Vec<String> =
            fetches.filter_map(|call| Some(call["key"].as_str()?.trim_start_matches(&below).to_owned())).collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(keys)
    }
}

#[test]
fn a_part_of_a_prefix_is_not_the_prefix() -> TestResult {
    let numbers = Numbers::new("data/a", &[("data/a/1", "one"), ("data/b/2", "two"), ("data/3", "three")])?;
    assert_eq!(numbers.read(&[])?, "train 1=one\n");
    let wider = ["--set", "channels.train=s3://numbers/data/"];
    assert_eq!(numbers.read(&wider)?, "train 3=three a/1=one b/2=two\n");
    // And the other way round: a part of what is here is asked for, and not fetched again.
    numbers.tenant.clear_calls()?;
    assert_eq!(numbers.read(&["--set", "channels.train=s3://numbers/data/b/"])?, "train 2=two\n");
    assert_eq!((numbers.fetched()?, numbers.tenant.count("ListObjectsV2")?), (vec![], 1));
    Ok(())
}

#[test]
fn a_channel_is_what_s3_has_now() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one"), ("data/b", "two"), ("data/c", "three")])?;
    assert_eq!(numbers.read(&[])?, "train a=one b=two c=three\n");
    numbers.tenant.clear_calls()?;
    assert_eq!(numbers.read(&[])?, "train a=one b=two c=three\n");
    assert_eq!((numbers.tenant.calls()?.len(), numbers.tenant.count("ListObjectsV2")?), (1, 1), "one call");
    // Of the same size, so that only the ETag tells.
    numbers.put("data/a", "eno")?;
    numbers.put("data/d", "four")?;
    numbers.delete("data/b")?;
    insta::assert_snapshot!(
        numbers.told(&[], 0)?,
        @"channel train: 2 of 3 objects, 7 B fetched from S3, and kept for the next job; 1 dropped, as S3 has it no longer"
    );
    assert_eq!(numbers.fetched()?, ["data/a", "data/d"]);
    assert_eq!(numbers.read(&[])?, "train a=eno c=three d=four\n");
    for key in ["data/a", "data/c", "data/d"] {
        numbers.delete(key)?;
    }
    insta::assert_snapshot!(numbers.told(&[], 1)?, @r"
    error: nothing is stored at s3://numbers/data/, on this computer or in S3
    hint: or give channel train a local folder: --set channels.train=PATH
    ");
    Ok(())
}

/// A prefix that is the key of one object brings those whose keys begin with it, as on SageMaker.
#[test]
fn a_channel_of_one_object() -> TestResult {
    let numbers = Numbers::new("data/x.csv", &[("data/x.csv", "one"), ("data/y.csv", "two")])?;
    assert_eq!(numbers.read(&[])?, "train x.csv=one\n");
    numbers.put("data/x.csv", "two")?;
    numbers.put("data/x.csv.old", "one")?;
    assert_eq!(numbers.read(&[])?, "train x.csv=two x.csv.old=one\n");
    Ok(())
}

/// The bytes that an object had are kept for jobs that begin with them; those of another key are others.
#[test]
fn an_object_that_comes_back() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one")])?;
    for content in ["one", "two", "one"] {
        numbers.put("data/a", content)?;
        assert_eq!(numbers.read(&[])?, format!("train a={content}\n"));
    }
    Ok(())
}

#[test]
fn a_job_s_own_earlier_model_is_no_data() -> TestResult {
    let script = format!("{LIST}\nopen(os.environ['SM_MODEL_DIR'] + '/w', 'w').write('7')\n");
    let numbers = Numbers::with(&script, "[channels]\ntrain = 's3://numbers/data/'\n", &[("data/a", "one")])?;
    for output in ["s3://numbers/data/models", "s3://numbers/data/", "s3://numbers/data"] {
        let set = format!("output.s3_uri={output}");
        let flags = ["--set", &set, "--set", "output.compression=none"];
        for _ in 0..2 {
            assert_eq!(numbers.read(&flags)?, "train a=one\n", "{output}");
        }
    }
    // Where S3 has one, it is data, as on SageMaker.
    numbers.put("data/models/m", "8")?;
    assert_eq!(numbers.read(&["--set", "output.s3_uri=s3://numbers/data/models"])?, "train a=one models/m=8\n");
    Ok(())
}

/// Nor is it once S3 has nothing there.
#[test]
fn a_job_s_own_earlier_model_where_s3_has_nothing_more() -> TestResult {
    let script = "import os\nopen(os.environ['SM_MODEL_DIR'] + '/w', 'w').write('7')\n";
    let sections = "[channels]\ntrain = 's3://numbers/data/'\n[output]\ns3_uri = 's3://numbers/data/models'\n";
    let numbers = Numbers::with(script, sections, &[("data/a", "one")])?;
    numbers.submit(&[], 0)?;
    numbers.delete("data/a")?;
    insta::assert_snapshot!(numbers.told(&[], 1)?, @r"
    error: nothing is stored at s3://numbers/data/ but what earlier jobs with the same output left on this computer
    hint: or give channel train a local folder: --set channels.train=PATH
    ");
    Ok(())
}

#[test]
fn what_another_local_job_left_where_s3_has_nothing() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one")])?;
    let script = "import os\nopen(os.environ['SM_MODEL_DIR'] + '/w.txt', 'w').write('7')";
    let first = numbers.sandbox.project("first", script)?;
    for bucket in ["numbers", "no-such-bucket-of-anybody"] {
        let output = numbers.really(&format!("output.s3_uri=s3://{bucket}/jobs"));
        let job = numbers.sandbox.complete(&first, &["--set", &output, "--set", "output.compression=none"])?;
        let channel = format!("channels.train=s3://{bucket}/jobs/{job}/output/model/");
        assert_eq!(numbers.read(&["--set", &channel])?, "train w.txt=7\n");
        // What S3 has wins over it.
        if bucket == "numbers" {
            numbers.put(&format!("jobs/{job}/output/model/x.txt"), "8")?;
            assert_eq!(numbers.read(&["--set", &channel])?, "train x.txt=8\n");
        }
    }
    Ok(())
}

/// Channels that `[request]` names are read like those of the spec.
#[test]
fn channels_of_the_request() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one"), ("other/b", "two")])?;
    let request = "[[request.InputDataConfig]]\nChannelName = 'other'\n\
                   DataSource.S3DataSource = { S3DataType = 'S3Prefix', S3Uri = 's3://numbers/other/' }\n";
    let numbers = numbers.and(request)?;
    assert_eq!(numbers.read(&[])?, "other b=two\n");
    Ok(())
}

#[test]
fn a_copy_where_s3_can_t_be_asked() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one")])?;
    assert_eq!(numbers.read(&[])?, "train a=one\n");
    numbers.deny("ListObjectsV2")?;
    insta::assert_snapshot!(numbers.told(&[], 0)?, @r#"warning: channel train: the copy of s3://numbers/data/ is of [TIME], and may be old: could not list what lies below s3://numbers/data/: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::numbers" because no identity-based policy allows the s3:ListBucket action (AccessDenied)"#);
    assert_eq!(numbers.read(&["-q"])?, "train a=one\n");
    // There is no copy of another prefix.
    insta::assert_snapshot!(numbers.told(&["--set", "channels.train=s3://numbers/dat"], 1)?, @r#"
    error: could not list what lies below s3://numbers/dat: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::numbers" because no identity-based policy allows the s3:ListBucket action (AccessDenied)
    hint: ask for a policy that allows s3:ListBucket on arn:aws:s3:::numbers
    hint: see who is asking: aws sts get-caller-identity
    hint: or give channel train a local folder: --set channels.train=PATH
    "#);
    numbers.tenant.clear_rules()?;
    let numbers = Numbers { sandbox: numbers.sandbox.with_env("AWS_ACCESS_KEY_ID", ""), ..numbers };
    insta::assert_snapshot!(numbers.told(&[], 0)?, @"warning: channel train: the copy of s3://numbers/data/ is of [TIME], and may be old: could not list what lies below s3://numbers/data/: no AWS credentials are configured");
    Ok(())
}

/// A copy that was not completed is none, whatever of it is here.
#[test]
fn a_copy_that_broke_off() -> TestResult {
    let keys: Vec<String> = (0..9).map(|number| format!("data/{number}")).collect();
    let objects: Vec<(&str, &str)> = keys.iter().map(|key| (key.as_str(), "x")).collect();
    let numbers = Numbers::new("data/", &objects)?;
    numbers.tenant.rule(&json!({ "fault": "access_denied", "operation": "GetObject", "key": "data/8" }))?;
    numbers.submit(&[], 1)?;
    numbers.deny("ListObjectsV2")?;
    numbers.submit(&[], 1)?;
    numbers.tenant.clear_rules()?;
    numbers.tenant.clear_calls()?;
    assert_eq!(numbers.read(&[])?.matches('=').count(), 9);
    let fetched = numbers.fetched()?;
    assert!(fetched.len() < 9 && fetched.contains(&keys[8]), "what is here is not fetched again: {fetched:?}");
    Ok(())
}

/// Another writer changes an object between the list and the fetch: what is fetched is what is listed then.
#[test]
fn an_object_that_is_replaced_meanwhile() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one"), ("data/b", "two")])?;
    numbers.put("new", "three")?;
    let by = format!("{}/new", numbers.bucket);
    numbers
        .tenant
        .rule(&json!({ "fault": "replace", "operation": "GetObject", "key": "data/b", "by": by, "count": 1 }))?;
    assert_eq!(numbers.read(&[])?, "train a=one b=three\n");
    Ok(())
}

/// Keys that no file can have, or that would lie outside the channel.
#[test]
fn keys_that_are_no_files() -> TestResult {
    let numbers = Numbers::new("data/", &[])?;
    for (key, channel) in [("data/../../x", "data/"), ("data/a/./b", "data/"), ("data/..", "data/")] {
        numbers.put(key, "x")?;
        let set = format!("channels.train=s3://numbers/{channel}");
        let said = numbers.told(&["--set", &set], 1)?;
        assert!(said.contains(&format!("s3://numbers/{key}")), "{said}");
        numbers.delete(key)?;
    }
    for key in ["data/x", "data/x/y"] {
        numbers.put(key, "x")?;
    }
    insta::assert_snapshot!(numbers.told(&[], 1)?, @r"
    error: s3://numbers/data/x/y can't be kept as a file: another object has its path, or that of its folder
    hint: or give channel train a local folder: --set channels.train=PATH
    ");
    numbers.delete("data/x")?;
    numbers.put("data//double", "2")?;
    numbers.put("data/folder/", "")?;
    assert_eq!(numbers.read(&[])?, "train double=2 x/y=x\n");
    Ok(())
}

/// Prints the checkpoints, then adds one, and one of another name where it is told so.
const CHECKPOINTS: &str = "
import os, pathlib
root = pathlib.Path(os.environ['SM_MODEL_DIR']).parent / 'checkpoints'
print(*sorted(f'{path.relative_to(root)}={path.read_text()}' for path in root.rglob('*') if path.is_file()))
written = os.environ.get('WRITE')
if written:
    (root / written).parent.mkdir(parents=True, exist_ok=True)
    (root / written).write_text('local')
";

#[test]
fn a_local_job_resumes_from_the_checkpoints_in_s3() -> TestResult {
    let objects = [("ckpt/1", "one"), ("ckpt/deep/2", "two"), ("ckpt-old/3", "three")];
    let numbers = Numbers::with(CHECKPOINTS, "[checkpoints]\ns3_uri = 's3://numbers/ckpt'\n", &objects)?;
    assert_eq!(numbers.read(&[])?, "1=one deep/2=two\n");
    numbers.tenant.clear_calls()?;
    assert_eq!(numbers.read(&["--set", "environment.WRITE=deep/2"])?, "1=one deep/2=two\n");
    assert_eq!((numbers.fetched()?, numbers.tenant.count("ListObjectsV2")?), (vec![], 1));
    // A local job's own checkpoint stays; what is a copy follows S3.
    numbers.put("ckpt/1", "eno")?;
    numbers.put("ckpt/deep/2", "owt")?;
    numbers.put("ckpt/4", "four")?;
    insta::assert_snapshot!(numbers.told(&["--set", "environment.WRITE=5"], 0)?, @"checkpoints: 3 objects, 10 B fetched from S3, and kept for the next job");
    assert_eq!(numbers.read(&[])?, "1=eno 4=four 5=local deep/2=local\n");
    for key in ["ckpt/1", "ckpt/deep/2"] {
        numbers.delete(key)?;
    }
    assert_eq!(numbers.read(&[])?, "4=four 5=local deep/2=local\n");
    // Where S3 can't be asked, there are those of before.
    numbers.deny("ListObjectsV2")?;
    insta::assert_snapshot!(numbers.told(&[], 0)?, @r#"warning: checkpoints: the copy of s3://numbers/ckpt/ is of [TIME], and may be old: could not list what lies below s3://numbers/ckpt/: User: arn:aws:sts::[ACCOUNT]:user/moto is not authorized to perform: s3:ListBucket on resource: "arn:aws:s3:::numbers" because no identity-based policy allows the s3:ListBucket action (AccessDenied)"#);
    numbers.tenant.clear_rules()?;
    numbers.delete("ckpt/4")?;
    assert_eq!(numbers.read(&[])?, "5=local deep/2=local\n");
    Ok(())
}

/// What the script has deleted is S3's still, as it is for a job on SageMaker.
#[test]
fn a_checkpoint_that_a_local_job_deletes_or_changes_in_place() -> TestResult {
    let script = format!("{CHECKPOINTS}\n(root / '1').unlink()\nopen(root / '2', 'a').write('!')\n");
    let objects = [("ckpt/1", "one"), ("ckpt/2", "two")];
    let numbers = Numbers::with(&script, "[checkpoints]\ns3_uri = 's3://numbers/ckpt/'\n", &objects)?;
    assert_eq!(numbers.read(&[])?, "1=one 2=two\n");
    assert_eq!(numbers.read(&[])?, "1=one 2=two!\n");
    // A channel of the same prefix has what S3 has, whatever a job wrote to its checkpoints.
    let numbers = Numbers { project: numbers.sandbox.project("reader", LIST)?, ..numbers };
    let numbers = numbers.and("[channels]\ntrain = 's3://numbers/ckpt/'\n")?;
    assert_eq!(numbers.read(&[])?, "train 1=one 2=two\n");
    Ok(())
}

#[test]
fn two_jobs_at_a_time_and_a_change_between_them() -> TestResult {
    let numbers = Numbers::new("data/", &[("data/a", "one")])?;
    let first = numbers.sandbox.smtrain(&["submit", "-q", "--local", &numbers.project.spec()]).run()?.ok()?;
    numbers.put("data/a", "two")?;
    let others: Vec<String> = std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..3).map(|_| scope.spawn(|| numbers.read(&["-q"]).map_err(|error| error.to_string()))).collect();
        readers.into_iter().map(|reader| reader.join().map_err(|_| "a reader ended")?).collect::<Result<_, _>>()
    })?;
    assert_eq!(others, ["train a=two\n"; 3]);
    numbers.sandbox.smtrain(&["wait", first.line()]).run()?.ok()?;
    assert_eq!(numbers.sandbox.log(first.line())?, "train a=one\n");
    Ok(())
}

/// Nobody's bucket is that of local jobs, whoever made one of its name.
#[test]
fn the_bucket_of_local_jobs_is_not_asked_for() -> TestResult {
    let numbers = Numbers::new("data/", &[])?;
    let script = "import os\nopen(os.environ['SM_MODEL_DIR'] + '/w.txt', 'w').write('7')";
    let first = numbers.sandbox.project("first", script)?.with("[output]\ncompression = 'none'")?;
    let job = numbers.sandbox.complete(&first, &[])?;
    let model = numbers.sandbox.describe(&job)?["ModelArtifacts"]["S3ModelArtifacts"].take();
    let bucket = model.as_str().and_then(|uri| uri.split('/').nth(2)).ok_or("no model")?.to_owned();
    numbers.tenant.make_bucket(&bucket)?;
    numbers.tenant.put_object(&bucket, &format!("{job}/output/model/w.txt"), b"8")?;
    let channel = format!("channels.train={}", model.as_str().unwrap_or_default());
    numbers.tenant.clear_calls()?;
    assert_eq!(numbers.read(&["--set", &channel])?, "train w.txt=7\n");
    assert_eq!(numbers.tenant.calls()?.len(), 0);
    Ok(())
}
