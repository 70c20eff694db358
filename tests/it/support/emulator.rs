//! The AWS emulator: brought up once for all tests of the process, and ended with it. Each test is a tenant of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use serde_json::{Value, json};

use super::python::{emulator_python, tests_folder, toolkit_python};
use super::{TestResult, poll};

/// The region that a tenant's commands are told.
const REGION: &str = "eu-west-1";

/// The server, for as long as the process lives: it ends when its stdin does.
#[derive(Debug)]
struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    fn start() -> TestResult<Self> {
        let mut process = Command::new(emulator_python()?)
            .args(["-m", "emulator", "--toolkit-python"])
            .arg(toolkit_python()?)
            .current_dir(tests_folder())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            // Search takes times without a zone.
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let port = port(process.stdout.take().ok_or("the emulator has no stdout")?)?;
        Ok(Self { port, _process: process })
    }

    /// The one server. What kept it from coming up fails every test that needs it.
    fn get() -> TestResult<&'static Self> {
        static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
        let server = SERVER.get_or_init(|| Self::start().map_err(|error| format!("no emulator: {error}")));
        server.as_ref().map_err(|error| error.as_str().into())
    }
}

fn port(stdout: ChildStdout) -> TestResult<u16> {
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let ready: Value = serde_json::from_str(&line).map_err(|error| format!("it said {line:?}: {error}"))?;
    Ok(u16::try_from(ready["port"].as_u64().ok_or("it told no port")?)?)
}

/// An account of its own on the emulator, with all that is in it: buckets, jobs, logs, rules that make calls fail.
#[derive(Debug)]
pub(crate) struct TestAccount {
    port: u16,
    access_key: String,
    account: String,
    role_arn: String,
}

impl TestAccount {
    pub(crate) fn new() -> TestResult<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        // The account follows from the last thirteen.
        let access_key = format!("AKIATST{number:013}");
        let mut tenant =
            Self { port: Server::get()?.port, access_key, account: String::new(), role_arn: String::new() };
        let about = tenant.admin("GET", "", &Value::Null)?;
        about["account"].as_str().ok_or("no account")?.clone_into(&mut tenant.account);
        about["role_arn"].as_str().ok_or("no role")?.clone_into(&mut tenant.role_arn);
        Ok(tenant)
    }

    /// The twelve digits of the account.
    pub(crate) fn account(&self) -> &str {
        &self.account
    }

    /// A role for training jobs, which stands in every account. Its name is `SageMakerRole`, its path `/service-role/`.
    pub(crate) fn role_arn(&self) -> &str {
        &self.role_arn
    }

    /// The bucket that SageMaker's own tools use by default. It is not there until something makes it.
    pub(crate) fn default_bucket(&self) -> String {
        format!("sagemaker-{REGION}-{}", self.account)
    }

    /// Where the emulator listens.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What leads a command to the emulator, and to nothing else.
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL", self.url()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ]
    }

    /// Adds a rule that makes calls fail: `{"fault": "throttle", "service": "s3", "operation": "PutObject", "count": 2}`.
    /// All fields are in `tests/emulator/faults.py`.
    pub(crate) fn rule(&self, rule: &Value) -> TestResult {
        self.admin("POST", "rules", &json!([rule])).map(drop)
    }

    /// Takes all rules away.
    pub(crate) fn clear_rules(&self) -> TestResult {
        self.admin("DELETE", "rules", &Value::Null).map(drop)
    }

    /// Every call that was made with the tenant's key, in order: its `service`, `operation`, `key`, `status`, `fault`, and
    /// how many bytes of its answer were `sent`.
    pub(crate) fn calls(&self) -> TestResult<Vec<Value>> {
        Ok(serde_json::from_value(self.admin("GET", "calls", &Value::Null)?)?)
    }

    /// How many calls there were of an operation, such as `PutObject`.
    pub(crate) fn count(&self, operation: &str) -> TestResult<usize> {
        Ok(self.calls()?.iter().filter(|call| call["operation"] == operation).count())
    }

    /// How many bytes of objects were sent.
    pub(crate) fn sent(&self) -> TestResult<u64> {
        let calls = self.calls()?;
        let fetches = calls.iter().filter(|call| call["operation"] == "GetObject");
        // What is sent with an error is none of an object's bytes.
        Ok(fetches
            .filter(|call| matches!(call["status"].as_u64(), Some(200 | 206)))
            .filter_map(|call| call["sent"].as_u64())
            .sum())
    }

    /// Forgets the calls made so far.
    pub(crate) fn clear_calls(&self) -> TestResult {
        self.admin("DELETE", "calls", &Value::Null).map(drop)
    }

    /// Changes a setting, such as `phase_seconds`. All are in `tests/emulator/tenants.py`; times are in seconds.
    pub(crate) fn set(&self, setting: &str, value: f64) -> TestResult {
        self.admin("PUT", "settings", &json!({ setting: value })).map(drop)
    }

    /// Makes jobs that never ran, each `{"name": .., "created": SECONDS, "state": {what DescribeTrainingJob tells}}`.
    pub(crate) fn jobs(&self, jobs: &[Value]) -> TestResult {
        self.admin("POST", "jobs", &json!({ "region": REGION, "jobs": jobs })).map(drop)
    }

    /// Adds events to a log stream of the training jobs' group, each a time in milliseconds and its text.
    pub(crate) fn log_events(&self, stream: &str, events: &[(u64, &str)]) -> TestResult {
        self.admin("POST", "log-events", &json!({ "region": REGION, "stream": stream, "events": events })).map(drop)
    }

    /// Adds values of a job's training metrics: name, value, and time in seconds.
    pub(crate) fn metrics(&self, job: &str, values: &[(&str, f64, u64)]) -> TestResult {
        self.admin("POST", "metrics", &json!({ "region": REGION, "job": job, "values": values })).map(drop)
    }

    /// Starts a job that only seems to run: `{"name": "j", "nodes": 8, "seconds": 10, "events": 100}`. All fields are in
    /// `tests/emulator/sagemaker/plan.py`.
    pub(crate) fn live_job(&self, job: &Value) -> TestResult {
        self.admin("POST", "live-jobs", &json!({ "region": REGION, "job": job })).map(drop)
    }

    /// Every line that a live job has put into its log, when the last of them is there.
    pub(crate) fn injected(&self, job: &str) -> TestResult<Vec<Injected>> {
        let path = format!("live-jobs/{job}");
        poll(&format!("all lines of {job}"), || {
            let mut told = self.admin("GET", &path, &Value::Null)?;
            Ok(if told["done"] == true { Some(serde_json::from_value(told["events"].take())?) } else { None })
        })
    }

    /// Takes a job away, but not its log.
    pub(crate) fn delete_job(&self, job: &str) -> TestResult {
        self.admin("DELETE", &format!("jobs/{job}"), &Value::Null).map(drop)
    }

    /// The names of the account's buckets.
    pub(crate) fn buckets(&self) -> TestResult<Vec<String>> {
        Ok(serde_json::from_value(self.admin("GET", "s3/", &Value::Null)?)?)
    }

    /// The keys in a bucket that start with `prefix`, sorted; none when there is no such bucket.
    pub(crate) fn keys(&self, bucket: &str, prefix: &str) -> TestResult<Vec<String>> {
        let path = format!("s3/{bucket}?prefix={}", quoted(prefix));
        Ok(serde_json::from_value(self.admin("GET", &path, &Value::Null)?)?)
    }

    /// An object's bytes.
    pub(crate) fn get_object(&self, bucket: &str, key: &str) -> TestResult<Vec<u8>> {
        let answer = self.send("GET", &format!("s3/{bucket}/{}", quoted(key)), &[])?;
        if answer.status == 200 { Ok(answer.body) } else { Err(format!("no object s3://{bucket}/{key}").into()) }
    }

    /// Makes a bucket of the account's.
    pub(crate) fn make_bucket(&self, bucket: &str) -> TestResult {
        self.send("PUT", &format!("s3/{bucket}"), &[])?.json().map(drop)
    }

    /// Makes a bucket in another region, or one that keeps old versions of its objects: `region=us-west-2`, `versioned`.
    pub(crate) fn make_odd_bucket(&self, bucket: &str, how: &str) -> TestResult {
        self.send("PUT", &format!("s3/{bucket}?{how}"), &[])?.json().map(drop)
    }

    /// Deletes an object.
    pub(crate) fn delete_object(&self, bucket: &str, key: &str) -> TestResult {
        self.send("DELETE", &format!("s3/{bucket}/{}", quoted(key)), &[])?.json().map(drop)
    }

    /// What S3 is to say of an object's checksum: `{"bucket": .., "key": .., "algorithm": "CRC32C", "part_size": 10000}`. All
    /// fields are in `tests/emulator/admin.py`.
    pub(crate) fn tell_checksum(&self, told: &Value) -> TestResult {
        self.admin("POST", "checksums", told).map(drop)
    }

    /// How an object is stored: its `algorithm` of encryption, its `key`'s ARN, its storage `class`.
    pub(crate) fn storage(&self, bucket: &str, key: &str) -> TestResult<Value> {
        self.admin("POST", "storage", &json!({ "bucket": bucket, "key": key }))
    }

    /// Moves an object to another storage class, as a rule of its bucket does.
    pub(crate) fn move_object(&self, bucket: &str, key: &str, class: &str) -> TestResult {
        self.admin("POST", "storage", &json!({ "bucket": bucket, "key": key, "storage_class": class })).map(drop)
    }

    /// Changes a bucket's default encryption: to a key of KMS, or back to that of a new bucket.
    pub(crate) fn encrypt_bucket(&self, bucket: &str, key: Option<&str>) -> TestResult {
        self.admin("POST", "bucket-encryption", &json!({ "bucket": bucket, "key": key })).map(drop)
    }

    /// Says which key of KMS an alias means.
    pub(crate) fn point_alias(&self, alias: &str, key: &str) -> TestResult {
        self.admin("POST", "kms-aliases", &json!({ alias: key })).map(drop)
    }

    /// Stores an object in a bucket that stands.
    pub(crate) fn put_object(&self, bucket: &str, key: &str, body: &[u8]) -> TestResult {
        self.send("PUT", &format!("s3/{bucket}/{}", quoted(key)), body)?.json().map(drop)
    }

    fn admin(&self, method: &str, path: &str, content: &Value) -> TestResult<Value> {
        let body = if content.is_null() { Vec::new() } else { content.to_string().into_bytes() };
        self.send(method, path, &body)?.json()
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> TestResult<Answer> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let head = format!(
            "{method} /_emulator/{}/{path} HTTP/1.1\r\nHost: emulator\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
            self.access_key,
            body.len()
        );
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Answer::read(&answer)
    }
}

/// A line of a live job: its stream, its time and the time of its arrival in milliseconds since 1970.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Injected {
    pub(crate) stream: String,
    pub(crate) time: u64,
    pub(crate) text: String,
    pub(crate) arrived: u64,
}

impl Injected {
    /// `algo-3`, of the stream `job/algo-3-1732334455`.
    pub(crate) fn node(&self) -> &str {
        let name = self.stream.split('/').next_back().unwrap_or_default();
        name.rsplit_once('-').map_or(name, |(node, _)| node)
    }
}

/// What the emulator answered to the test itself.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Vec<u8>,
}

impl Answer {
    fn read(bytes: &[u8]) -> TestResult<Self> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").ok_or("the emulator answered nothing")?;
        let (head, body) = bytes.split_at(end);
        let status = String::from_utf8_lossy(head).split(' ').nth(1).ok_or("no status")?.parse()?;
        Ok(Self { status, body: body.get(4..).unwrap_or_default().to_vec() })
    }

    fn json(&self) -> TestResult<Value> {
        if self.status == 200 {
            return Ok(serde_json::from_slice(&self.body)?);
        }
        Err(format!("the emulator answered {}: {}", self.status, String::from_utf8_lossy(&self.body)).into())
    }
}

/// Percent-encodes all but what may always stand in a path.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
