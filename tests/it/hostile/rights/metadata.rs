//! Credentials of the instance or the container never go through a proxy.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::support::{Sandbox, TestResult};

/// What every variable for a proxy is called.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

const KEY: &str = "ASIAFROMMETADATA0000";

/// A server on the loopback that keeps the head of each request. It ends with the process.
#[derive(Clone)]
struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(answer: fn(&str) -> (u16, String)) -> TestResult<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let server = Self { url: format!("http://{}", listener.local_addr()?), heads: Arc::default() };
        let heads = server.heads.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heads = heads.clone();
                thread::spawn(move || serve(stream, &heads, answer));
            }
        });
        Ok(server)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// One request a connection.
fn serve(stream: TcpStream, heads: &Mutex<Vec<String>>, answer: fn(&str) -> (u16, String)) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let (status, text) = answer(&head);
    heads.lock().unwrap_or_else(PoisonError::into_inner).push(head);
    let length = text.len();
    // Of a token for metadata, how long it is good.
    let lifetime = "x-aws-ec2-metadata-token-ttl-seconds: 21600\r\n";
    let answer =
        format!("HTTP/1.1 {status} X\r\n{lifetime}Content-Length: {length}\r\nConnection: close\r\n\r\n{text}");
    let mut stream = stream;
    stream.write_all(answer.as_bytes()).ok()
}

/// A proxy that carries nothing out: what comes to it is told apart by its head.
fn refuse(_: &str) -> (u16, String) {
    (403, r#"{"__type":"AccessDeniedException","message":"by the proxy"}"#.to_owned())
}

/// The instance's metadata (EC2 user guide, "Instance metadata and user data"), and a container's credentials (ECS
/// developer guide, "Task IAM role").
fn metadata(head: &str) -> (u16, String) {
    let credentials = format!(
        r#"{{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"{KEY}","SecretAccessKey":"s","Token":"t","LastUpdated":"2026-01-01T00:00:00Z","Expiration":"2099-01-01T00:00:00Z"}}"#
    );
    let path = head.split(' ').nth(1).unwrap_or_default();
    match path {
        "/latest/api/token" => (200, "token".to_owned()),
        "/latest/meta-data/placement/region" => (200, "eu-west-1".to_owned()),
        "/latest/meta-data/iam/security-credentials/" => (200, "role".to_owned()),
        path if path.contains("extended") => (404, String::new()),
        _ => (200, credentials),
    }
}

/// The sandbox with no credentials of its own, and with a proxy for everything.
fn proxied(proxy: &Server) -> TestResult<Sandbox> {
    let sandbox = Sandbox::new()?.with_env("AWS_ENDPOINT_URL", "http://service.invalid").with_env("NO_PROXY", "");
    let sandbox = sandbox.with_env("AWS_MAX_ATTEMPTS", "1").with_env("no_proxy", "");
    Ok(PROXIES.iter().fold(sandbox, |sandbox, name| sandbox.with_env(name, &proxy.url)))
}

/// Lists jobs; fails unless the call to the service, and no other, went through the proxy, with those credentials.
fn check(sandbox: &Sandbox, proxy: &Server, arguments: &[&str]) -> TestResult {
    let said = sandbox.smtrain(&["history", "-o", "names"]).args(arguments).run()?.expect(1)?;
    let heads = proxy.heads();
    let is_service = |head: &String| head.contains("service.invalid") && head.contains(KEY);
    // The proxy refuses each call in words of its own; what is tested is where calls went.
    if said.stderr.contains("by the proxy") && !heads.is_empty() && heads.iter().all(is_service) {
        return Ok(());
    }
    Err(format!("through the proxy: {heads:#?}\n{said}").into())
}

#[test]
fn an_instance_s_metadata() -> TestResult {
    let (proxy, instance) = (Server::start(refuse)?, Server::start(metadata)?);
    let sandbox = proxied(&proxy)?.with_env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance.url);
    check(&sandbox, &proxy, &[])?;
    assert!(instance.heads().iter().any(|head| head.contains("placement/region")), "{:?}", instance.heads());
    // As a profile's source.
    let profile = "[profile deep]\nregion = eu-west-1\nrole_arn = arn:aws:iam::111122223333:role/R\ncredential_source = Ec2InstanceMetadata\n";
    std::fs::create_dir_all(sandbox.path("home/.aws"))?;
    std::fs::write(sandbox.path("home/.aws/config"), profile)?;
    let before = instance.heads().len();
    sandbox.smtrain(&["history", "--profile", "deep"]).run()?.expect(1)?;
    assert!(instance.heads().len() > before, "it was not asked");
    let strays: Vec<String> =
        proxy.heads().into_iter().filter(|head| !head.contains("service.invalid") && !head.contains("sts.")).collect();
    assert_eq!(strays, Vec::<String>::new());
    Ok(())
}

#[test]
fn a_container_s_credentials() -> TestResult {
    let (proxy, container) = (Server::start(refuse)?, Server::start(metadata)?);
    let sandbox = proxied(&proxy)?.with_env("AWS_REGION", "eu-west-1").with_env("AWS_EC2_METADATA_DISABLED", "true");
    let sandbox = sandbox.with_env("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/creds", container.url));
    check(&sandbox, &proxy, &[])?;
    assert!(!container.heads().is_empty());
    Ok(())
}

#[test]
fn an_instance_that_tells_nothing() -> TestResult {
    let (proxy, instance) = (Server::start(refuse)?, Server::start(|_| (404, String::new()))?);
    let sandbox = proxied(&proxy)?.with_env("AWS_EC2_METADATA_SERVICE_ENDPOINT", &instance.url);
    for arguments in [&["history"][..], &["history", "--region", "eu-west-1"]] {
        sandbox.smtrain(arguments).run()?.expect(1)?;
        assert_eq!(proxy.heads(), Vec::<String>::new(), "{arguments:?}");
    }
    assert!(!instance.heads().is_empty());
    Ok(())
}

/// Nothing need answer there: it is enough that the proxy isn't asked.
#[test]
fn the_addresses_that_are_the_same_everywhere() -> TestResult {
    for (name, value) in [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/creds"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://[fd00:ec2::23]/v1/credentials"),
    ] {
        let proxy = Server::start(refuse)?;
        let sandbox = proxied(&proxy)?.with_env(name, value).with_env("AWS_REGION", "eu-west-1");
        sandbox.smtrain(&["history"]).run()?.expect(1)?;
        assert_eq!(proxy.heads(), Vec::<String>::new(), "{name}={value}");
    }
    Ok(())
}
