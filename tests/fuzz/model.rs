//! What the archive module takes of smtrain's model.

#[path = "../../src/model/digest.rs"]
#[expect(dead_code, reason = "one of its functions is used")]
mod digest;
#[path = "../../src/model/downloaded.rs"]
#[expect(dead_code, reason = "one of its types is used")]
pub(crate) mod downloaded;
#[path = "../../src/model/lock.rs"]
mod lock;
#[path = "../../src/model/owner.rs"]
mod owner;
#[path = "../../src/model/sanitize.rs"]
#[expect(dead_code, reason = "one of its functions is used")]
mod sanitize;
#[path = "../../src/model/secrets/mod.rs"]
#[expect(dead_code, reason = "its tokens are used")]
pub(crate) mod secrets;

pub(crate) use digest::hex;
pub(crate) use lock::IgnorePoison;
pub(crate) use owner::is_own;
pub(crate) use sanitize::{one_line, printable};

/// No archive has any.
#[derive(Debug)]
pub(crate) struct S3Uri;
