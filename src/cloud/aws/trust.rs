//! The certificates of authorities that connections trust: a bundle that the user names, else the system's.
//!
//! As in botocore 1.44.5 (`session.py`, `endpoint.py`), a bundle replaces the system's certificates: `AWS_CA_BUNDLE`, else
//! `ca_bundle` of the profile, else `REQUESTS_CA_BUNDLE`. A bundle that can't be used is an error. Verification is never
//! switched off.

use std::path::{Path, PathBuf};

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use super::files;
use super::profiles::{Profiles, SelectedProfile};
use super::variables::AwsVariables;
use crate::cloud::{CloudError, CloudResult};

const CA_BUNDLE: &str = "ca_bundle";
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The trusted certificates, loaded.
#[derive(Clone, Debug, Default)]
pub(super) struct Trust {
    context: TlsContext,
}

impl Trust {
    /// Loads the bundle that is named, if one is. Fails if it is absent, unreadable or has no certificate.
    pub(super) fn load(
        variables: &AwsVariables,
        profiles: &Profiles,
        selection: &SelectedProfile,
    ) -> CloudResult<Self> {
        let Some((path, source)) = named_bundle(variables, profiles, selection) else { return Ok(Self::default()) };
        let hint = || format!("{source} names it: set it to a PEM file with the certificates that your network needs");
        let text = files::required_text(&path, hint)?;
        let store = trust_store(&text).ok_or_else(|| CloudError::Unusable {
            what: format!("{} has no certificate in PEM form that can be read", path.display()),
            hint: hint(),
        })?;
        let context = TlsContext::builder().with_trust_store(store).build();
        let context =
            context.map_err(|error| CloudError::Other(format!("could not trust {}: {error}", path.display())))?;
        Ok(Self { context })
    }

    pub(super) fn tls_context(&self) -> TlsContext {
        self.context.clone()
    }
}

/// Returns the path of the bundle, and what names it.
fn named_bundle(
    variables: &AwsVariables,
    profiles: &Profiles,
    selection: &SelectedProfile,
) -> Option<(PathBuf, String)> {
    let of_variable = |named: &Option<(&'static str, PathBuf)>| {
        named.as_ref().map(|(variable, path)| (path.clone(), (*variable).to_owned()))
    };
    let of_profile = || {
        let path = profiles.get(selection.name(), CA_BUNDLE)?;
        let place = profiles.place(selection.name(), CA_BUNDLE)?;
        Some((Path::new(path).to_owned(), format!("{CA_BUNDLE} ({place})")))
    };
    of_variable(&variables.ca_bundle).or_else(of_profile).or_else(|| of_variable(&variables.fallback_ca_bundle))
}

/// Returns a store of the certificates that can be read, as the system's are taken; `None` if there is none. The SDK
/// panics on one that can't be read.
fn trust_store(text: &str) -> Option<TrustStore> {
    let mut store = TrustStore::empty();
    let mut is_empty = true;
    for certificate in certificates(text).filter(|certificate| is_readable(certificate)) {
        store.add_pem_certificate(certificate.as_bytes());
        is_empty = false;
    }
    (!is_empty).then_some(store)
}

/// Returns the certificates of a PEM file, each with its first and last line.
fn certificates(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(BEGIN).filter_map(|(start, _)| {
        let rest = text.get(start..)?;
        let end = rest.find(END)? + END.len();
        // One that is cut off ends before the next.
        rest.get(..end).filter(|certificate| certificate.matches(BEGIN).count() == 1)
    })
}

fn is_readable(certificate: &str) -> bool {
    let read = CertificateDer::from_pem_slice(certificate.as_bytes());
    read.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok())
}
