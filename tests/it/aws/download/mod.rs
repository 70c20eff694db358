//! `smtrain download` from S3: whole, with calls that fail, interrupted at any moment, and what is left of it on disk.

mod checks;
mod damage;
mod disk;
mod faults;
mod formats;
mod jobs;
mod options;
mod places;
mod prefix;
mod resume;
mod unsound;
mod uris;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{CommandOutput, Sandbox, TestAccount, TestResult, poll};

const MIB: usize = 1024 * 1024;

/// Paths below a folder, and what stands in the files.
type Files = BTreeMap<String, Vec<u8>>;

/// Files, and the archive that they are stored as.
#[derive(Debug)]
struct Model {
    files: Files,
    archive: Vec<u8>,
}

impl Model {
    fn of(files: &[(&str, &[u8])]) -> TestResult<Self> {
        Self::compressed(files, Compression::fast())
    }

    fn compressed(files: &[(&str, &[u8])], level: Compression) -> TestResult<Self> {
        let files: Files = files.iter().map(|(path, content)| ((*path).to_owned(), content.to_vec())).collect();
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), level));
        for (path, content) in &files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            archive.append_data(&mut header, path, &content[..])?;
        }
        Ok(Self { archive: archive.into_inner()?.finish()?, files })
    }

    /// Comes in ten stretches, of four MiB each.
    fn large() -> TestResult<&'static Self> {
        static MODEL: OnceLock<Result<Model, String>> = OnceLock::new();
        let model = MODEL.get_or_init(|| Self::of_noise(1, 34 * MIB).map_err(|error| error.to_string()));
        model.as_ref().map_err(|error| error.as_str().into())
    }

    /// One like no other, whose largest file has so many bytes.
    fn of_noise(seed: u64, size: usize) -> TestResult<Self> {
        let (mut first, weights) = (noise(seed + 1000, 3 * MIB), noise(seed, size));
        // This one can be compressed.
        for byte in &mut first {
            *byte &= 0x3f;
        }
        Self::of(&[
            ("config.json", b"{}"),
            ("deep/empty", b""),
            ("deep/first.bin", &first),
            ("deep/weights.bin", &weights),
            ("last.txt", b"the end"),
        ])
    }

    /// Holds that a folder has these files, and nothing else.
    fn assert_in(&self, folder: &Path) -> TestResult {
        assert_same(&files_in(folder)?, &self.files);
        Ok(())
    }
}

/// Without what is in the files: they are large.
fn assert_same(found: &Files, expected: &Files) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (path, content) in expected {
        assert!(found[path] == *content, "{path} is not as it was");
    }
}

/// Bytes that can't be compressed.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// Everything that is no folder, below one.
fn files_in(folder: &Path) -> TestResult<Files> {
    let (mut files, mut folders) = (Files::new(), vec![folder.to_owned()]);
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.symlink_metadata()?.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(folder)?.display().to_string(), fs::read(&path)?);
            }
        }
    }
    Ok(files)
}

/// The names in a folder, sorted; none where there is no such folder.
fn names_in(folder: &Path) -> TestResult<Vec<String>> {
    let Ok(entries) = fs::read_dir(folder) else { return Ok(Vec::new()) };
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    let mut names = entries.map(name).collect::<TestResult<Vec<_>>>()?;
    names.sort_unstable();
    Ok(names)
}

/// How many bytes a journal says have been fetched.
fn noted(journal: &Path) -> u64 {
    // There is none before something begins.
    let text = fs::read_to_string(journal).unwrap_or_default();
    let stretch = |line: &str| {
        let mut numbers = line.split(' ').map(|word| word.parse::<u64>().ok());
        let (_object, start, end) = (numbers.next()??, numbers.next()??, numbers.next()??);
        end.checked_sub(start)
    };
    text.lines().filter_map(stretch).sum()
}

/// A bucket, and who downloads from it to the folder `out`.
struct Bucket {
    sandbox: Sandbox,
    tenant: TestAccount,
    name: String,
}

impl Bucket {
    fn new() -> TestResult<Self> {
        let (sandbox, tenant) = Sandbox::on_aws()?;
        let name = tenant.default_bucket();
        tenant.make_bucket(&name)?;
        Ok(Self { sandbox, tenant, name })
    }

    /// With an object `model.tar.gz`, which is returned as its URI.
    fn with(archive: &[u8]) -> TestResult<(Self, String)> {
        let bucket = Self::new()?;
        let uri = bucket.put("model.tar.gz", archive)?;
        Ok((bucket, uri))
    }

    fn put(&self, key: &str, body: &[u8]) -> TestResult<String> {
        self.tenant.put_object(&self.name, key, body)?;
        Ok(self.uri(key))
    }

    fn uri(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.name)
    }

    fn download(&self, args: &[&str]) -> TestResult<CommandOutput> {
        self.sandbox.smtrain(&["download", "-d", "out"]).args(args).run()
    }

    fn out(&self, below: &str) -> PathBuf {
        self.sandbox.path("out").join(below)
    }

    /// Where a model is made before it is there.
    fn partial(&self) -> PathBuf {
        self.out(".model.partial")
    }

    /// From now on each body comes at so many bytes a second.
    fn slow_down(&self, rate: usize) -> TestResult {
        self.tenant.rule(&json!({ "fault": "slow_body", "operation": "GetObject", "rate": rate }))
    }

    /// Starts a download, and kills it once so many more bytes have been noted as fetched than were at its start.
    fn kill_after(&self, bytes: u64, args: &[&str]) -> TestResult {
        let journal = self.partial().join("fetched");
        let start = noted(&journal);
        let running = self.sandbox.smtrain(&["download", "-d", "out"]).args(args).start()?;
        poll("more of it", || Ok((noted(&journal) >= start + bytes).then_some(())))?;
        running.signal(Signal::SIGKILL)?;
        running.finish()?.expect(128 + 9).map(drop)
    }

    /// Holds that the model is there, and nothing else.
    fn assert_whole(&self, model: &Model) -> TestResult {
        assert_eq!(names_in(&self.out(""))?, ["model"]);
        model.assert_in(&self.out("model"))
    }
}
