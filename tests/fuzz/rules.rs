//! What must hold of every archive, good or bad.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Cursor};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use crate::archive::{UnpackLimits, UnpackError, check, list, pick, unpack};
use crate::model::downloaded::{ListedEntry, ListedKind};
use crate::model::printable;

const LIMITS: UnpackLimits = UnpackLimits { bytes: 1 << 20, entries: 200, packed_from: Some("/a/b") };
const OUTSIDE: &str = "safe";

/// Panics where a rule is broken.
pub(crate) fn keep(archive: &[u8]) {
    let place = tempfile::tempdir().expect("a folder of its own");
    let (into, outside) = (place.path().join("into"), place.path().join("outside"));
    fs::create_dir(&outside).and_then(|()| fs::write(outside.join("file"), OUTSIDE)).expect("a file beside it");
    let before = state(&outside);
    let unpacked = unpack(Cursor::new(archive.to_vec()), &into, &LIMITS, &mut ());
    assert!(state(&outside) == before && names(place.path()) == ["into", "outside"], "something outside has changed");
    let files = files(&into);
    let (listed, listing) = listed(archive);
    for error in [unpacked.as_ref().err(), listing.as_ref().err()].into_iter().flatten() {
        is_harmless(error);
    }
    if let Ok(unpacked) = unpacked {
        unpacked.left_out.iter().for_each(|line| assert!(printable(line) == *line && !line.contains('\n')));
        listing.expect("what can be unpacked can be listed");
        check(archive).expect("what can be unpacked is whole");
        are_listed(&files, &listed);
        picks_are_the_same(archive, &files, &listed);
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("the folder is there");
    let mut names: Vec<String> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into()).collect();
    names.sort();
    names
}

/// All that could change of what lies outside.
fn state(outside: &Path) -> Vec<(u64, u32, u64, i64, i64, String)> {
    let of = |path: &Path| {
        let meta = fs::symlink_metadata(path).expect("it is there");
        let content =
            if meta.is_file() { fs::read_to_string(path).expect("it is text") } else { names(path).join("/") };
        (meta.ino(), meta.mode(), meta.nlink(), meta.mtime(), meta.mtime_nsec(), content)
    };
    vec![of(outside), of(&outside.join("file"))]
}

/// The files that were made, each with its content; links and folders only looked at.
fn files(root: &Path) -> HashMap<PathBuf, Vec<u8>> {
    let real = fs::canonicalize(root).expect("the folder is made whatever comes");
    let (mut files, mut folders, mut total) = (HashMap::new(), vec![root.to_owned()], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("its owner can read it").flatten() {
            let (path, meta) = (entry.path(), entry.metadata().expect("it is there"));
            let mode = meta.permissions().mode();
            if meta.is_symlink() {
                stays_inside(&path, &real);
            } else if meta.is_dir() {
                assert!(mode & 0o7700 == 0o700, "{mode:o}");
                folders.push(path);
            } else {
                assert!(meta.is_file() && mode & 0o7600 == 0o600, "{mode:o}");
                total += if meta.nlink() == 1 { meta.len() } else { 0 };
                let name = path.strip_prefix(root).expect("it is below it").to_owned();
                files.insert(name, fs::read(&path).expect("its owner can read it"));
            }
        }
    }
    assert!(total <= LIMITS.bytes, "{total} bytes");
    files
}

fn stays_inside(link: &Path, root: &Path) {
    let target = fs::read_link(link).expect("it is a link");
    assert!(target.is_relative(), "{link:?} -> {target:?}");
    // Where it leads to nothing yet, what it would lead to.
    let mut real = fs::canonicalize(link.parent().expect("it is in a folder")).expect("it is a real one");
    for part in target.components() {
        match part {
            Component::ParentDir => assert!(real.pop()),
            part => real.push(part),
        }
        real = fs::canonicalize(&real).unwrap_or(real);
        assert!(real.starts_with(root), "{link:?} -> {target:?}");
    }
}

fn listed(archive: &[u8]) -> (Vec<ListedEntry>, Result<(), UnpackError>) {
    let mut all = Vec::new();
    let listing = list(Cursor::new(archive.to_vec()), &LIMITS, &mut |listed| {
        all.push(listed);
        Ok(())
    });
    (all, listing)
}

/// A name as files have it.
fn clean(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

fn are_listed(files: &HashMap<PathBuf, Vec<u8>>, listed: &[ListedEntry]) {
    for (name, content) in files {
        let kind = listed.iter().rev().find(|listed| clean(&listed.path) == *name);
        let kind = kind.unwrap_or_else(|| panic!("{name:?} is not listed"));
        let is_right = match &kind.kind {
            ListedKind::File => kind.size == content.len() as u64,
            // What was before it, or was left out and is still there from an earlier entry.
            ListedKind::HardLink(_) | ListedKind::Symlink(_) => true,
            _ => false,
        };
        assert!(is_right, "{name:?} is listed as {kind:?}");
    }
}

/// Where a name stands once, what is picked is what was unpacked.
fn picks_are_the_same(archive: &[u8], files: &HashMap<PathBuf, Vec<u8>>, listed: &[ListedEntry]) {
    for (name, content) in files.iter().take(3) {
        let mut same = listed.iter().filter(|listed| clean(&listed.path) == *name);
        let (first, second) = (same.next(), same.next());
        let mut picked = Vec::new();
        let found = pick(Cursor::new(archive.to_vec()), &LIMITS, name, &mut picked);
        if second.is_none() && first.is_some_and(|listed| listed.kind == ListedKind::File) {
            assert!(found.is_ok_and(|size| size == Some(content.len() as u64)) && picked == *content, "{name:?}");
        }
    }
}

/// An error with all its causes is one line that steers no terminal.
fn is_harmless(error: &UnpackError) {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        assert!(printable(&text) == text && !text.contains('\n') && text.len() < 10_000, "{text:?}");
        cause = error.source();
    }
    // Where the disk is at fault, the archive was not tried.
    if let UnpackError::Write { source, .. } = error {
        assert!(source.kind() != io::ErrorKind::StorageFull, "the disk is full");
    }
}
