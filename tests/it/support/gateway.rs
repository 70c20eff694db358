//! A gateway that decrypts TLS, or a proxy, between a sandbox and the emulator.

use std::fs;
use std::path::PathBuf;

use super::process::Running;
use super::{Sandbox, TestAccount, TestResult};

/// A running gateway. Killed when it is dropped.
#[derive(Debug)]
pub(crate) struct Gateway {
    folder: PathBuf,
    port: String,
    _process: Running,
}

impl Gateway {
    /// Starts a gateway to the emulator, which answers CONNECT with `status`.
    pub(crate) fn start(sandbox: &Sandbox, tenant: &TestAccount, status: u16) -> TestResult<Self> {
        let folder = sandbox.path(&format!("gateway-{status}"));
        fs::create_dir(&folder)?;
        let url = tenant.url();
        let target = url.rsplit(':').next().ok_or("no port")?;
        let arguments = ["-c", include_str!("gateway.py"), target, &folder.display().to_string(), &status.to_string()];
        let process = sandbox.emulator_python(&arguments)?.start()?;
        sandbox.wait_for_file(&folder.join("port"))?;
        let port = fs::read_to_string(folder.join("port"))?;
        Ok(Self { folder, port, _process: process })
    }

    /// The address under which it decrypts TLS.
    pub(crate) fn https(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// Its address as a proxy, with a user and a password.
    pub(crate) fn proxy(&self) -> String {
        format!("http://me:hidden@127.0.0.1:{}", self.port)
    }

    /// The file with its authority's certificate.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The first lines of the requests that it got as a proxy.
    pub(crate) fn asked(&self) -> TestResult<String> {
        let asked = self.folder.join("asked");
        Ok(if asked.exists() { fs::read_to_string(asked)? } else { String::new() })
    }
}
