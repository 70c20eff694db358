//! A small S3 on the loopback, which goes wrong where a test says so.

use std::collections::{BTreeMap, HashMap};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use sha2::{Digest, Sha256};

use crate::model::IgnorePoison;
use crate::tests::TestResult;

const SHA256: &str = "x-amz-checksum-sha256";

/// What is to happen to a call.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It is not carried out.
    Refused(u16, &'static str),
    /// It is carried out, and the connection ends without an answer.
    Lost,
    /// The answer's body ends after so many bytes.
    CutAfter(usize),
    /// The answer tells no length, and ends with the connection.
    Unsized,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Bucket {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) is_closed: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) buckets: HashMap<String, Bucket>,
    /// By `bucket/key`.
    pub(super) objects: BTreeMap<String, Object>,
    pub(super) uploads: HashMap<String, Upload>,
    /// The names of the calls, in order.
    pub(super) calls: Vec<&'static str>,
    /// For the next calls of that name.
    pub(super) faults: Vec<(&'static str, Fault)>,
    made: usize,
}

#[derive(Debug)]
pub(super) struct Upload {
    parts: BTreeMap<u16, Vec<u8>>,
    headers: HashMap<String, String>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Object {
    pub(super) bytes: Vec<u8>,
    pub(super) tag: String,
    pub(super) headers: HashMap<String, String>,
}

#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) url: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub(super) fn start() -> TestResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self { url: format!("http://{}", listener.local_addr()?), state: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = serving.clone();
                thread::spawn(move || server.serve(stream));
            }
        });
        Ok(server)
    }

    pub(super) fn state<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().ignore_poison())
    }

    pub(super) fn fail(&self, call: &'static str, fault: Fault) {
        self.state(|state| state.faults.push((call, fault)));
    }

    pub(super) fn count(&self, call: &str) -> usize {
        self.state(|state| state.calls.iter().filter(|made| **made == call).count())
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?);
        loop {
            let request = Request::read(&mut reader)?;
            let (answer, fault) = self.state(|state| state.take(&request));
            answer.write(&stream, request.method == "HEAD", fault)?;
        }
    }
}

#[derive(Debug)]
struct Request {
    method: String,
    path: String,
    query: HashMap<String, String>,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

impl Request {
    /// `None` at the connection's end.
    fn read(reader: &mut impl BufRead) -> Option<Self> {
        let line = line(reader)?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair =
            |pair: &str| pair.split_once('=').map_or((pair.into(), String::new()), |(k, v)| (k.into(), v.into()));
        let mut headers = HashMap::new();
        while let Some((name, value)) = self::line(reader)?.split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let path = path.trim_matches('/').to_owned();
        Some(Self { method, path, query: query.split('&').map(pair).collect(), headers, body })
    }

    fn name(&self) -> &'static str {
        let is_bucket = !self.path.contains('/');
        let has = |name: &str| self.query.contains_key(name);
        match self.method.as_str() {
            "HEAD" if is_bucket => "HeadBucket",
            "PUT" if is_bucket && has("publicAccessBlock") => "PutPublicAccessBlock",
            "PUT" if is_bucket => "CreateBucket",
            "HEAD" => "HeadObject",
            "GET" => "GetObject",
            "PUT" if has("partNumber") => "UploadPart",
            "PUT" => "PutObject",
            "POST" if has("uploads") => "CreateMultipartUpload",
            "POST" => "CompleteMultipartUpload",
            _ => "AbortMultipartUpload",
        }
    }
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
}

#[derive(Debug, Default)]
struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn ok() -> Self {
        Self { status: 200, ..Self::default() }
    }

    fn refused(status: u16, code: &str) -> Self {
        let body = format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>").into_bytes();
        Self { status, body, ..Self::default() }
    }

    fn write(self, mut stream: &TcpStream, is_head: bool, fault: Option<Fault>) -> Option<()> {
        if matches!(fault, Some(Fault::Lost)) {
            return None;
        }
        write!(stream, "HTTP/1.1 {} -\r\n", self.status).ok()?;
        let is_unsized = matches!(fault, Some(Fault::Unsized));
        if is_unsized {
            write!(stream, "connection: close\r\n").ok()?;
        } else {
            write!(stream, "content-length: {}\r\n", self.body.len()).ok()?;
        }
        for (name, value) in self.headers {
            write!(stream, "{name}: {value}\r\n").ok()?;
        }
        stream.write_all(b"\r\n").ok()?;
        if is_head {
            return (!is_unsized).then_some(());
        }
        if let Some(Fault::CutAfter(length)) = fault {
            stream.write_all(self.body.get(..length)?).ok()?;
            return None;
        }
        stream.write_all(&self.body).ok().filter(|()| !is_unsized)
    }
}

impl State {
    fn take(&mut self, request: &Request) -> (Answer, Option<Fault>) {
        let name = request.name();
        self.calls.push(name);
        let fault = self.faults.iter().position(|(call, _)| *call == name).map(|at| self.faults.remove(at).1);
        match fault {
            Some(Fault::Refused(status, code)) => (Answer::refused(status, code), None),
            fault => (self.answer(name, request), fault),
        }
    }

    fn answer(&mut self, name: &str, request: &Request) -> Answer {
        let (bucket, _) = request.path.split_once('/').unwrap_or((&request.path, ""));
        let expected = request.headers.get("x-amz-expected-bucket-owner");
        let owner = self.buckets.get(bucket).map(|bucket| &bucket.account);
        if expected.is_some() && owner.is_some() && expected != owner {
            return Answer::refused(403, "AccessDenied");
        }
        match name {
            "HeadBucket" => self.head_bucket(bucket),
            "CreateBucket" => self.create_bucket(bucket, &request.body),
            "PutPublicAccessBlock" => self.close(bucket, &request.body),
            "HeadObject" | "GetObject" => self.object(request),
            "PutObject" => self.store(request, request.headers.clone(), request.body.clone(), "1"),
            "CreateMultipartUpload" => {
                self.made += 1;
                let id = format!("upload-{}", self.made);
                let body =
                    format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>")
                        .into_bytes();
                self.uploads.insert(id, Upload { parts: BTreeMap::new(), headers: request.headers.clone() });
                Answer { body, ..Answer::ok() }
            }
            _ => self.of_upload(name, request),
        }
    }

    fn head_bucket(&self, bucket: &str) -> Answer {
        let Some(found) = self.buckets.get(bucket) else { return Answer::refused(404, "") };
        Answer { headers: vec![("x-amz-bucket-region", found.region.clone())], ..Answer::ok() }
    }

    fn create_bucket(&mut self, bucket: &str, body: &[u8]) -> Answer {
        if self.buckets.contains_key(bucket) {
            return Answer::refused(409, "BucketAlreadyOwnedByYou");
        }
        let text = String::from_utf8_lossy(body);
        let region = text.split("LocationConstraint>").nth(1).map_or("us-east-1", |rest| rest.trim_end_matches("</"));
        let made = Bucket { account: super::ACCOUNT.to_owned(), region: region.to_owned(), is_closed: false };
        self.buckets.insert(bucket.to_owned(), made);
        Answer::ok()
    }

    fn close(&mut self, bucket: &str, body: &[u8]) -> Answer {
        let Some(found) = self.buckets.get_mut(bucket) else { return Answer::refused(404, "NoSuchBucket") };
        found.is_closed = String::from_utf8_lossy(body).matches(">true<").count() == 4;
        Answer::ok()
    }

    fn object(&self, request: &Request) -> Answer {
        let Some(object) = self.objects.get(&request.path) else { return Answer::refused(404, "NoSuchKey") };
        if request.headers.get("if-match").is_some_and(|tag| *tag != object.tag) {
            return Answer::refused(412, "PreconditionFailed");
        }
        let range = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
        let mut answer = Answer { headers: vec![("etag", object.tag.clone())], ..Answer::ok() };
        answer.body.clone_from(&object.bytes);
        let told = object.headers.get(SHA256).filter(|_| request.method == "HEAD");
        answer.headers.extend(told.map(|told| (SHA256, told.clone())));
        if let Some((start, last)) = range {
            let size = object.bytes.len();
            let (start, last): (usize, usize) = (start.parse().unwrap_or(0), last.parse().unwrap_or(size - 1));
            answer.status = 206;
            answer.body = object.bytes[start..=last].to_vec();
            answer.headers.push(("content-range", format!("bytes {start}-{last}/{size}")));
        }
        answer
    }

    fn store(&mut self, request: &Request, headers: HashMap<String, String>, bytes: Vec<u8>, tag: &str) -> Answer {
        self.made += 1;
        let tag = format!("\"{}-{tag}\"", self.made);
        self.objects.insert(request.path.clone(), Object { bytes, tag, headers });
        Answer::ok()
    }

    fn of_upload(&mut self, name: &str, request: &Request) -> Answer {
        let id = request.query.get("uploadId").map_or("", String::as_str);
        let Some(upload) = self.uploads.get_mut(id) else { return Answer::refused(404, "NoSuchUpload") };
        if name == "UploadPart" {
            let number = request.query.get("partNumber").and_then(|number| number.parse().ok()).unwrap_or(0);
            upload.parts.insert(number, request.body.clone());
            return Answer { headers: vec![("etag", format!("\"part-{number}\""))], ..Answer::ok() };
        }
        let Some(Upload { parts, mut headers }) = self.uploads.remove(id) else { return Answer::ok() };
        if name == "AbortMultipartUpload" {
            return Answer { status: 204, ..Answer::default() };
        }
        let count = parts.len().to_string();
        let digests: Vec<u8> = parts.values().flat_map(Sha256::digest).collect();
        let digest = aws_smithy_types::base64::encode(Sha256::digest(digests));
        headers.insert(SHA256.to_owned(), format!("{digest}-{count}"));
        let answer = self.store(request, headers, parts.into_values().flatten().collect(), &count);
        Answer { body: b"<CompleteMultipartUploadResult/>".to_vec(), ..answer }
    }
}
