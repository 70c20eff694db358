//! Merging lists with what earlier downloads left.

use std::fs;

use super::*;
use crate::ops::download::keys::PrefixEntry;
use crate::tests::TestResult;

fn below(key: &str, version: &str, size: u64) -> PrefixEntry {
    PrefixEntry { key: key.into(), size, version: (!version.is_empty()).then(|| version.into()) }
}

fn folder_uri() -> TestResult<S3Uri> {
    Ok(S3Uri::parse("s3://bucket/model/")?)
}

/// Begins a download of these, and returns its journal and what is known of each.
fn begin(folder: &Path, all: &[PrefixEntry]) -> TestResult<(Journal, Vec<(String, u64)>)> {
    let handle = DirHandle::at(folder)?;
    let mut listing = ObjectListing::begin(&handle)?;
    all.iter().try_for_each(|below| listing.add(below))?;
    let (manifest, journal, _) = merge(&handle, &listing.finish()?, &folder_uri()?)?;
    let entries = manifest.entries()?.collect::<io::Result<Vec<_>>>()?;
    assert!(entries.iter().enumerate().all(|(number, entry)| entry.number == number));
    let known: Vec<_> = entries.iter().map(|entry| (entry.below.key.to_string(), entry.known.total())).collect();
    assert_eq!(manifest.present, known.iter().map(|(_, present)| present).sum::<u64>());
    Ok((journal, known))
}

fn write(folder: &Path, key: &str, size: usize) -> TestResult {
    let path = folder.join(FILES).join(key);
    fs::create_dir_all(path.parent().unwrap_or(folder))?;
    Ok(fs::write(path, vec![7; size])?)
}

fn pairs(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
    pairs.iter().map(|(key, present)| ((*key).to_owned(), *present)).collect()
}

#[test]
fn what_is_still_the_same_is_known_and_the_rest_goes() -> TestResult {
    let place = tempfile::tempdir()?;
    let folder = place.path();
    let all = [("a", 10), ("b/c", 10), ("b/d", 10), ("e", 10), ("f/g/h", 10), ("i", 10), ("j", 0)];
    let first: Vec<_> = all.iter().map(|(key, size)| below(key, "1", *size)).collect();
    let (journal, known) = begin(folder, &first)?;
    assert!(known.iter().all(|(_, present)| *present == 0));
    for (number, (key, size)) in all.iter().enumerate() {
        write(folder, key, usize::try_from(*size)?)?;
        journal.record(number, &(0..*size), number % 2 == 0)?;
    }
    // A kill cuts the last line short.
    fs::write(folder.join(JOURNAL), [&fs::read(folder.join(JOURNAL))?[..], b"0 2"].concat())?;
    // Another content, a file too short, one that became a folder, and one that is listed no more.
    write(folder, "e", 3)?;
    let second = [
        below("a", "2", 10),
        below("b", "1", 5),
        below("e", "1", 10),
        below("i", "1", 10),
        below("i-new", "1", 10),
        below("j", "1", 0),
    ];
    for _ in 0..2 {
        let (_, known) = begin(folder, &second)?;
        assert_eq!(known, pairs(&[("a", 0), ("b", 0), ("e", 0), ("i", 10), ("i-new", 0), ("j", 0)]));
        let left = fs::read_dir(folder.join(FILES))?.map(|entry| Ok(entry?.file_name()));
        let mut left = left.collect::<io::Result<Vec<_>>>()?;
        left.sort();
        assert_eq!(left, ["i", "j"], "files of other contents, and their folders, are gone");
    }
    Ok(())
}

#[test]
fn a_list_in_another_order_is_sorted() -> TestResult {
    let place = tempfile::tempdir()?;
    let all = ["b", "a/c", "a", "b"].map(|key| below(key, "1", 1));
    let (_, known) = begin(place.path(), &all)?;
    assert_eq!(known, pairs(&[("a", 0), ("a/c", 0), ("b", 0)]));
    Ok(())
}

#[test]
fn a_journal_of_another_folder_is_of_no_use() -> TestResult {
    let place = tempfile::tempdir()?;
    let content = r#"object 0 {"uri":"s3://other/model/a","version":"1","size":1}"#;
    fs::write(place.path().join(JOURNAL), format!("{content}\n0 0 1\n0 whole\n"))?;
    write(place.path(), "a", 1)?;
    let (_, known) = begin(place.path(), &[below("a", "1", 1)])?;
    assert_eq!(known, pairs(&[("a", 0)]));
    assert_eq!(fs::read_dir(place.path().join(FILES))?.count(), 0);
    Ok(())
}
