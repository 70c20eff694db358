//! How code and data are stored: with which key, in which class; and that it is part of whether they are used again.

use std::fs;

use serde_json::Value;

use crate::support::{Project, Sandbox, TestAccount, TestResult, normalised};

const KEY: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const OTHER_KEY: &str = "99999999-12ab-34cd-56ef-1234567890ab";

/// More than goes in one request, in bytes.
const LARGE: usize = 17 * 1024 * 1024;

/// A project with code and a channel of one small file, and the bucket that they go to.
struct Stored {
    sandbox: Sandbox,
    tenant: TestAccount,
    bucket: String,
    project: Project,
}

impl Stored {
    fn new() -> TestResult<Self> {
        let (sandbox, tenant) = Sandbox::on_aws()?;
        tenant.set("phase_seconds", 600.0)?;
        let sandbox = sandbox.with_env("SMTRAIN_ROLE", tenant.role_arn());
        let bucket = format!("stored-{}", tenant.account());
        tenant.make_bucket(&bucket)?;
        let sections = format!("[channels]\ntrain = 'data'\n[output]\ns3_uri = 's3://{bucket}/out'\n");
        let project = sandbox.project("proj", "pass")?.with(&sections)?.file("data/small", "1")?;
        Ok(Self { sandbox, tenant, bucket, project })
    }

    /// The key's ARN.
    fn arn(&self, key: &str) -> String {
        format!("arn:aws:kms:eu-west-1:{}:key/{key}", self.tenant.account())
    }

    /// Submits a job, and returns what it says of objects that are stored again, and how many objects were stored.
    fn submit(&self, args: &[&str]) -> TestResult<(Vec<String>, usize)> {
        self.tenant.clear_calls()?;
        let said = self.sandbox.smtrain(&["submit", &self.project.spec()]).args(args).run()?.ok()?;
        let again = said.stderr.lines().filter(|line| line.contains("again"));
        let again = again.map(|line| normalised(&line.replace(&self.bucket, "stored"))).collect::<TestResult<_>>()?;
        let stored = self.tenant.count("PutObject")? + self.tenant.count("CompleteMultipartUpload")?;
        Ok((again, stored))
    }

    /// How code and data are stored, each way once.
    fn storage(&self) -> TestResult<Vec<Value>> {
        let mut all: Vec<Value> = Vec::new();
        for key in self.tenant.keys(&self.bucket, "")? {
            let storage = self.tenant.storage(&self.bucket, &key)?;
            if !all.contains(&storage) {
                all.push(storage);
            }
        }
        Ok(all)
    }

    /// Checks that all is stored with one key, and that nothing is stored another time.
    fn assert_with(&self, key: &str, args: &[&str]) -> TestResult {
        let storage = self.storage()?;
        assert_eq!(storage.len(), 1, "{args:?}: {storage:?}");
        assert_eq!(
            (&storage[0]["algorithm"], &storage[0]["key"]),
            (&"aws:kms".into(), &self.arn(key).into()),
            "{args:?}"
        );
        assert_eq!(self.submit(args)?, (vec![], 0), "{args:?}");
        Ok(())
    }
}

#[test]
fn a_key_that_is_given_later_or_changed() -> TestResult {
    let stored = Stored::new()?;
    assert_eq!(stored.submit(&[])?, (vec![], 2));
    assert_eq!(stored.storage()?[0]["algorithm"], "AES256");
    assert_eq!(stored.submit(&[])?, (vec![], 0));
    stored.tenant.point_alias("alias/mine", KEY)?;
    let own_arn = stored.arn(KEY);
    // By every name, and between them nothing is to be stored.
    let (again, count) = stored.submit(&["--set", &format!("output.kms_key_id={KEY}")])?;
    insta::assert_snapshot!(again.join("\n"), @r"
    note: the object s3://stored/out/smtrain/code/[SHA256]/sourcedir.tar.gz was stored with another key or storage class: stored again
    note: the object s3://stored/out/smtrain/data/[SHA256]/small was stored with another key or storage class: stored again
    ");
    assert_eq!(count, 2);
    for name in [KEY, &own_arn, "alias/mine", &own_arn.replace(&format!("key/{KEY}"), "alias/mine")] {
        stored.assert_with(KEY, &["--set", &format!("output.kms_key_id={name}")])?;
    }
    let other = format!("output.kms_key_id={OTHER_KEY}");
    assert_eq!(stored.submit(&["--set", &other])?.1, 2);
    stored.assert_with(OTHER_KEY, &["--set", &other])?;
    // An alias is what it means now.
    let alias = ["--set", "output.kms_key_id=alias/mine"];
    assert_eq!(stored.submit(&alias)?.1, 2);
    stored.assert_with(KEY, &alias)?;
    stored.tenant.point_alias("alias/mine", OTHER_KEY)?;
    assert_eq!(stored.submit(&alias)?.1, 2);
    stored.assert_with(OTHER_KEY, &alias)?;
    let uploads = stored.sandbox.emulator_python(&[
        "-c",
        "import sys, boto3; print(boto3.client('s3').list_multipart_uploads(Bucket=sys.argv[1]).get('Uploads', []))",
        &stored.bucket,
    ])?;
    assert_eq!(uploads.env("AWS_DEFAULT_REGION", "eu-west-1").run()?.ok()?.line(), "[]", "no upload is left open");
    // Without a key, the bucket's own encryption counts.
    assert_eq!(stored.submit(&[])?.1, 2);
    assert_eq!((stored.storage()?[0]["algorithm"].as_str(), stored.submit(&[])?.1), (Some("AES256"), 0));
    Ok(())
}

#[test]
fn a_key_for_a_file_that_is_sent_in_parts() -> TestResult {
    let stored = Stored::new()?;
    let stored = Stored { project: stored.project.clone().file("data/large", vec![7; LARGE])?, ..stored };
    assert_eq!(stored.submit(&[])?.1, 3);
    let key = format!("output.kms_key_id={KEY}");
    assert_eq!(stored.submit(&["--set", &key])?.1, 3);
    stored.assert_with(KEY, &["--set", &key])
}

#[test]
fn the_key_of_a_bucket() -> TestResult {
    let stored = Stored::new()?;
    stored.tenant.encrypt_bucket(&stored.bucket, Some(KEY))?;
    assert_eq!(stored.submit(&[])?.1, 2);
    stored.assert_with(KEY, &[])?;
    let same = format!("output.kms_key_id={KEY}");
    stored.assert_with(KEY, &["--set", &same])?;
    let other = format!("output.kms_key_id={OTHER_KEY}");
    assert_eq!(stored.submit(&["--set", &other])?.1, 2);
    assert_eq!(stored.submit(&[])?.1, 2, "without the key, the bucket's");
    stored.assert_with(KEY, &[])
}

/// All that set `OutputDataConfig.KmsKeyId` set the key of code and data.
#[test]
fn a_key_from_everywhere() -> TestResult {
    let stored = Stored::new()?;
    stored.submit(&[])?;
    let request = format!("request.OutputDataConfig.KmsKeyId={KEY}");
    assert_eq!(stored.submit(&["--set", &request])?.1, 2);
    stored.assert_with(KEY, &["--set", &request])?;
    fs::write(stored.sandbox.path("smtrain.toml"), format!("[output]\nkms_key_id = '{OTHER_KEY}'\n"))?;
    assert_eq!(stored.submit(&[])?.1, 2);
    stored.assert_with(OTHER_KEY, &[])?;
    fs::remove_file(stored.sandbox.path("smtrain.toml"))?;
    let config =
        format!("SchemaVersion: '1.0'\nSageMaker:\n  TrainingJob:\n    OutputDataConfig:\n      KmsKeyId: {KEY}\n");
    let folder = stored.sandbox.path("home/.config/sagemaker");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("config.yaml"), config)?;
    assert_eq!(stored.submit(&[])?.1, 2);
    stored.assert_with(KEY, &[])
}

/// An alias whose key S3 doesn't tell: what is encrypted stays, or it would be stored each time; what is not does not.
#[test]
fn an_alias_that_can_t_be_resolved() -> TestResult {
    let stored = Stored::new()?;
    stored.submit(&[])?;
    let alias = ["--set", "output.kms_key_id=alias/mine", "--set", "channels.train=s3://bucket/x"];
    let deny = serde_json::json!({ "fault": "access_denied", "operation": "CreateMultipartUpload" });
    stored.tenant.rule(&deny)?;
    assert_eq!(stored.submit(&alias)?.1, 1, "the code");
    assert_eq!(stored.submit(&alias)?, (vec![], 0));
    Ok(())
}

#[test]
fn an_object_that_was_archived() -> TestResult {
    let stored = Stored::new()?;
    stored.submit(&[])?;
    let keys = stored.tenant.keys(&stored.bucket, "")?;
    for (class, expected) in [("STANDARD_IA", 0), ("GLACIER_IR", 0), ("GLACIER", 2), ("DEEP_ARCHIVE", 2)] {
        for key in &keys {
            stored.tenant.move_object(&stored.bucket, key, class)?;
        }
        assert_eq!(stored.submit(&[])?.1, expected, "{class}");
        assert_eq!(stored.submit(&[])?.1, 0, "{class}");
    }
    Ok(())
}
