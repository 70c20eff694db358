//! How hostile archives are made, and what is looked at after they were unpacked, listed and picked from.

use std::os::unix::ffi::OsStrExt;
use std::sync::mpsc;
use std::thread;

use super::*;
use crate::archive::{list, pick};
use crate::model::downloaded::ListedEntry;

pub(super) const LIMITS: UnpackLimits = UnpackLimits { bytes: 6 << 20, entries: 1000, packed_from: None };
/// Far more than anything here takes, and far less than for ever.
const PATIENCE: Duration = Duration::from_mins(2);

impl Raw {
    /// A file whose header was changed, with a checksum that is right.
    pub(super) fn altered(mut self, name: &[u8], data: &[u8], alter: impl FnOnce(&mut Header)) -> Self {
        let mut header = header(EntryType::Regular, "", "", data.len() as u64);
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        alter(&mut header);
        header.set_cksum();
        self.push(header.as_bytes(), data);
        self
    }

    /// What describes the next entry.
    pub(super) fn about(self, kind: EntryType, data: &[u8]) -> Self {
        self.entry(kind, "././@LongLink", "", data)
    }

    pub(super) fn long_name(self, name: &[u8]) -> Self {
        self.about(EntryType::GNULongName, &[name, b"\0"].concat())
    }

    pub(super) fn long_link(self, target: &[u8]) -> Self {
        self.about(EntryType::GNULongLink, &[target, b"\0"].concat())
    }

    pub(super) fn pax(self, records: &[(&str, &[u8])]) -> Self {
        let records: Vec<u8> = records.iter().flat_map(|(key, value)| record(key, value)).collect();
        self.about(EntryType::XHeader, &records)
    }

    pub(super) fn hard_link(self, name: &str, target: &str) -> Self {
        self.entry(EntryType::Link, name, target, b"")
    }

    pub(super) fn folder(self, name: &str) -> Self {
        self.entry(EntryType::Directory, name, "", b"")
    }
}

/// `LENGTH KEY=VALUE\n`, the length being that of the whole.
pub(super) fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
    let mut length = rest.len();
    while length != rest.len() + length.to_string().len() {
        length = rest.len() + length.to_string().len();
    }
    [length.to_string().as_bytes(), &rest].concat()
}

/// Unpacks something: nothing outside may change, nor any link lead there, whatever comes of it.
pub(super) fn unpacked(archive: &[u8]) -> Result<Result<Vec<String>, UnpackError>, Box<dyn std::error::Error>> {
    let place = Place::new()?;
    let result = place.unpack(archive);
    assert!(place.is_untouched_outside()? && no_link_leads_out(&place.root())?, "{result:?}");
    match result {
        Ok(_) => Ok(Ok(tree(&place.root())?)),
        Err(error) => Ok(Err(error)),
    }
}

/// What a good archive makes: `a/`, `a/file=content`, `a/link -> target`, sorted.
pub(super) fn made(archive: Raw) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    Ok(unpacked(&archive.gz()?)??)
}

/// How a bad archive is refused, as it is told with all causes.
pub(super) fn refusal(archive: Raw) -> Result<String, Box<dyn std::error::Error>> {
    let error = unpacked(&archive.gz()?)?.err().ok_or("it was unpacked")?;
    Ok(whole_text(&error))
}

pub(super) fn whole_text(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

pub(super) fn listed(archive: &[u8]) -> (Vec<ListedEntry>, Result<(), UnpackError>) {
    let mut all = Vec::new();
    let result = list(io::Cursor::new(archive.to_vec()), &LIMITS, &mut |listed| {
        all.push(listed);
        Ok(())
    });
    (all, result)
}

/// The names that listing tells, of an archive that can be listed to its end.
pub(super) fn names(archive: Raw) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let (all, result) = listed(&archive.gz()?);
    result?;
    Ok(all.iter().map(|listed| listed.path.display().to_string()).collect())
}

pub(super) fn picked(archive: &[u8], path: &str) -> Result<Option<Vec<u8>>, UnpackError> {
    let mut bytes = Vec::new();
    let found = pick(io::Cursor::new(archive.to_vec()), &LIMITS, Path::new(path), &mut bytes)?;
    Ok(found.map(|_| bytes))
}

pub(super) fn tree(root: &Path) -> io::Result<Vec<String>> {
    let (mut found, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let name = path.strip_prefix(root).unwrap_or(&path).as_os_str().as_bytes().escape_ascii().to_string();
            let kind = fs::symlink_metadata(&path)?.file_type();
            if kind.is_symlink() {
                found.push(format!("{name} -> {}", fs::read_link(&path)?.display()));
            } else if kind.is_dir() {
                found.push(format!("{name}/"));
                folders.push(path);
            } else {
                found.push(format!("{name}={}", fs::read(&path)?.escape_ascii()));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Fails where something goes on for ever.
pub(super) fn in_time<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, mpsc::RecvTimeoutError> {
    let (done, result) = mpsc::channel();
    thread::spawn(move || done.send(work()));
    result.recv_timeout(PATIENCE)
}
