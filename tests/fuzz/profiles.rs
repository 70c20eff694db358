//! AWS profile files, read by smtrain's parser and by the SDK's own, which gets what smtrain's has read.

#[path = "../../src/cloud/aws/profiles/parser.rs"]
mod parser;

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

/// What aws-config asks a profile for.
const KEYS: [&str; 12] = [
    "region",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "role_arn",
    "source_profile",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "sso_session",
    "sso_account_id",
    "max_attempts",
];

/// The text as `~/.aws/config` and as `~/.aws/credentials`.
pub fn profile(bytes: &[u8]) {
    let (config, credentials) = bytes.split_at(memchr::memchr(0, bytes).unwrap_or(bytes.len()));
    read(config, credentials.get(1..).unwrap_or_default());
    read(b"", config);
}

/// Every key has its place in the file, behind its section's header.
fn parse(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let Ok(sections) = parser::parse(&text) else { return };
    let lines = text.split(['\n', '\r']).count();
    for section in sections {
        assert!((1..=lines).contains(&section.line));
        for entry in section.entries {
            assert!(entry.line > section.line && entry.line <= lines, "{entry:?}");
            assert!(!entry.lines.is_empty() && entry.key == entry.key.to_lowercase(), "{entry:?}");
            assert!(entry.value().is_none_or(|value| !value.contains('\n')), "{entry:?}");
        }
    }
}

fn read(config: &[u8], credentials: &[u8]) {
    parse(config);
    parse(credentials);
    let files = [("/home/.aws/config", config), ("/home/.aws/credentials", credentials)];
    let fs = Fs::from_raw_map(files.map(|(path, bytes)| (path.into(), bytes.to_vec())).into());
    let env = Env::from_slice(&[("HOME", "/home")]);
    let files = EnvConfigFiles::builder().include_default_config_file(true).include_default_credentials_file(true);
    let source = ready(source::load(&env, &fs, &files.build())).expect("the files are there");
    match EnvConfigSections::parse(source) {
        Ok(sections) => ask(&sections),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn ask(sections: &EnvConfigSections) {
    for key in KEYS {
        sections.get(key);
        for name in sections.profiles() {
            sections.get_profile(name).expect("a profile by its name").get(key);
        }
        for name in sections.sso_sessions() {
            sections.sso_session(name).expect("a session by its name").get(key);
        }
    }
    sections.other_sections();
}

/// Files in memory are never waited for.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("something is waited for"),
    }
}
