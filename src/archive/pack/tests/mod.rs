//! Code archives as others read them: with the tar crate, Python and the system's tar.

mod git;
mod links;
mod secrets;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::tests::{TestResult, output};

/// A folder for sources, with short ways to fill it.
struct Tree {
    folder: tempfile::TempDir,
}

impl Tree {
    /// Files with their content; the folders around them are made.
    fn new(files: &[(&str, &str)]) -> Result<Self, Box<dyn std::error::Error>> {
        let tree = Self { folder: tempfile::tempdir()? };
        for (name, content) in files {
            tree.add(name, content.as_bytes())?;
        }
        Ok(tree)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn add(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(&path))?;
        fs::write(path, content)
    }

    /// The folder `src`, and nothing else set.
    fn source(&self) -> SourceTree {
        SourceTree { dir: self.path("src"), ..SourceTree::default() }
    }
}

fn pack(tree: &SourceTree) -> Result<(Packed, Vec<u8>), PackError> {
    let mut archive = Vec::new();
    let packed = pack_with(tree, &mut archive, 2)?;
    Ok((packed, archive))
}

fn names(tree: &SourceTree) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    Ok(contents(&pack(tree)?.1)?.into_keys().collect())
}

fn contents(archive: &[u8]) -> Result<BTreeMap<String, String>, Box<dyn std::error::Error>> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(archive));
    let mut contents = BTreeMap::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut content = String::new();
        entry.read_to_string(&mut content)?;
        contents.insert(name, content);
    }
    Ok(contents)
}

fn error_of<T>(result: Result<T, PackError>) -> Result<PackError, &'static str> {
    result.err().ok_or("an error was expected")
}

#[test]
fn times_modes_and_the_order_of_creation_do_not_show() -> TestResult {
    let one = Tree::new(&[("src/b/c.py", "c"), ("src/b.py", "b"), ("src/a.py", "a")])?;
    let two = Tree::new(&[("src/a.py", "a"), ("src/b.py", "b"), ("src/b/c.py", "c")])?;
    let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    fs::File::options().write(true).open(two.path("src/a.py"))?.set_modified(old)?;
    fs::set_permissions(two.path("src/b.py"), fs::Permissions::from_mode(0o600))?;
    fs::create_dir(two.path("src/empty"))?;
    assert_eq!(pack(&one.source())?, pack(&two.source())?);
    Ok(())
}

/// If this digest changes, everyone's code is uploaded again: that must be meant.
#[test]
fn the_digest_of_known_files_is_known() -> TestResult {
    let tree = Tree::new(&[("src/train.py", "print('hello')\n"), ("src/lib/util.py", "")])?;
    let (packed, archive) = pack(&tree.source())?;
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(&archive[..]).read_to_end(&mut tar)?;
    assert_eq!(packed.sha256, hex(&Sha256::digest(&tar)));
    assert_eq!(packed.sha256, "ab3cc86c5338f01bee373408ef0402aa0d2e11eb4e4e4f605c7ed2da27137023");
    assert_eq!((packed.files, packed.unpacked_bytes, packed.packed_bytes), (2, 15, archive.len() as u64));
    Ok(())
}

#[test]
fn one_thread_or_many_give_the_same_archive() -> TestResult {
    let tree = Tree::new(&[])?;
    let line = |number: usize| format!("{} {}\n", number, number.wrapping_mul(2_654_435_761));
    tree.add("src/big.txt", (0..150_000).map(line).collect::<String>().as_bytes())?;
    let (mut one, mut many) = (Vec::new(), Vec::new());
    pack_with(&tree.source(), &mut one, 1)?;
    pack_with(&tree.source(), &mut many, 5)?;
    assert!(one == many);
    Ok(())
}

#[test]
fn entries_are_sorted_by_their_whole_path() -> TestResult {
    let tree = Tree::new(&[("src/a/b", ""), ("src/a.py", ""), ("src/a-b", ""), ("src/ab", "")])?;
    let archive = pack(&tree.source())?.1;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
    let order: Result<Vec<_>, _> = archive.entries()?.map(|entry| Ok(entry?.path()?.into_owned())).collect();
    let order: Vec<PathBuf> = order.map_err(|error: std::io::Error| error)?;
    assert_eq!(order, ["a-b", "a.py", "a/b", "ab"].map(PathBuf::from));
    Ok(())
}

#[test]
fn python_and_tar_read_it() -> TestResult {
    let long = format!("src/{}/{}.py", "folder".repeat(20), "name".repeat(30));
    let tree = Tree::new(&[("src/train.py", "x"), (&long, "deep"), ("src/ünïcode ☃.txt", "snow")])?;
    tree.add("src/large.bin", &vec![b'z'; 2_000_000])?;
    fs::set_permissions(tree.path("src/train.py"), fs::Permissions::from_mode(0o700))?;
    let path = tree.path("sourcedir.tar.gz");
    fs::write(&path, pack(&tree.source())?.1)?;

    let script = "import sys, tarfile\n\
        with tarfile.open(sys.argv[1], 'r:gz') as t:\n\
        \x20for m in t: print(m.name, oct(m.mode), m.uid, m.gid, m.uname + m.gname, m.mtime, len(t.extractfile(m).read()))\n";
    let python = output(Command::new("python3").args(["-X", "utf8", "-c", script]).arg(&path))?;
    let listing = String::from_utf8(python.stdout)?;
    let expected = format!(
        "{} 0o644 0 0  315619200 4\nlarge.bin 0o644 0 0  315619200 2000000\n\
         train.py 0o755 0 0  315619200 1\nünïcode ☃.txt 0o644 0 0  315619200 4\n",
        &long["src/".len()..]
    );
    assert_eq!(listing, expected, "{}", String::from_utf8_lossy(&python.stderr));

    for (command, flag) in [("gzip", "-t"), ("tar", "-tzf")] {
        let output = output(Command::new(command).arg(flag).arg(&path))?;
        assert!(output.status.success() && output.stderr.is_empty(), "{command}: {output:?}");
    }
    Ok(())
}

#[test]
fn names_are_kept_as_bytes() -> TestResult {
    let tree = Tree::new(&[("src/a", "")])?;
    let name = [b"\xff\xfe".repeat(60), b".bin".to_vec()].concat();
    fs::write(tree.path("src").join(std::ffi::OsStr::from_bytes(&name)), "x")?;
    let archive = pack(&tree.source())?.1;
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(&archive[..]));
    let found = archive.entries()?.filter_map(Result::ok).any(|entry| *entry.path_bytes() == name[..]);
    assert!(found);
    Ok(())
}

#[test]
fn ignore_files_and_patterns_work_without_a_repository() -> TestResult {
    let tree = Tree::new(&[
        ("src/.gitignore", "*.ckpt\n/out/\n!keep.ckpt\nbad[\n"),
        ("src/.smtrainignore", "notes.md\n"),
        ("src/train.py", ""),
        ("src/a.ckpt", ""),
        ("src/keep.ckpt", ""),
        ("src/out/x", ""),
        ("src/lib/out/x", ""),
        ("src/lib/.gitignore", "tmp*\n"),
        ("src/lib/tmp1", ""),
        ("src/notes.md", ""),
        ("src/data/x.csv", ""),
        ("src/data.py", ""),
    ])?;
    let source = SourceTree { exclude: vec!["data/".into(), ".*ignore".into()], ..tree.source() };
    assert_eq!(names(&source)?, ["data.py", "keep.ckpt", "lib/out/x", "train.py"]);
    assert_eq!(pack(&source)?.0.skipped.ignored, 8);
    Ok(())
}

#[test]
fn own_rules_win_over_git_and_the_spec_over_both() -> TestResult {
    let tree = Tree::new(&[
        ("src/.smtrainignore", "!deep/model.bin\nb.txt\n"),
        ("src/deep/.gitignore", "*.bin\n"),
        ("src/deep/model.bin", ""),
        ("src/deep/other.bin", ""),
        ("src/b.txt", ""),
    ])?;
    let source = SourceTree { exclude: vec!["!b.txt".into(), ".*ignore".into()], ..tree.source() };
    assert_eq!(names(&source)?, ["b.txt", "deep/model.bin"]);
    Ok(())
}

#[test]
fn the_ignore_files_of_the_repository_around_the_tree_count() -> TestResult {
    let files = [(".gitignore", "*.ckpt\n/src/big/\n"), ("src/a.ckpt", ""), ("src/big/x", ""), ("src/train.py", "")];
    let tree = Tree::new(&files)?;
    assert_eq!(names(&tree.source())?, ["a.ckpt", "big/x", "train.py"]);
    fs::create_dir(tree.path(".git"))?;
    tree.add(".git/info/exclude", b"train.py")?;
    assert_eq!(names(&tree.source())?, ["train.py"]);
    Ok(())
}

#[test]
fn a_bad_pattern_of_ours_is_an_error() -> TestResult {
    let tree = Tree::new(&[("src/train.py", "")])?;
    let source = SourceTree { exclude: vec!["{a".into()], ..tree.source() };
    let error = error_of(pack(&source))?;
    assert!(
        matches!(&error, PackError::BadPattern { pattern, place, .. } if pattern == "{a" && place == "source.exclude")
    );
    Ok(())
}

#[test]
fn caches_environments_and_version_control_stay_out() -> TestResult {
    let tree = Tree::new(&[
        ("src/train.py", ""),
        ("src/.git/config", ""),
        ("src/sub/.git", "gitdir: elsewhere"),
        ("src/__pycache__/x.pyc", ""),
        ("src/my-env/pyvenv.cfg", ""),
        ("src/my-env/lib/x.py", ""),
        ("src/.env/pyvenv.cfg", ""),
        ("src/.smtrainignore", "!.git\n!__pycache__\n"),
    ])?;
    let packed = pack(&tree.source())?.0;
    assert_eq!(names(&tree.source())?, [".smtrainignore", "train.py"]);
    assert_eq!((packed.skipped.tooling, packed.secrets), (5, Vec::new()));
    Ok(())
}

#[test]
fn secrets_stay_out_and_are_named_wherever_they_are() -> TestResult {
    let tree = Tree::new(&[
        ("src/train.py", ""),
        ("src/.env", "PASSWORD=x"),
        ("src/.env.example", "PASSWORD="),
        ("src/conf/.aws/credentials", "x"),
        ("src/conf/.aws/config", "x"),
        ("src/deploy", "-----BEGIN OPENSSH PRIVATE KEY-----\nx"),
        ("src/.smtrainignore", "!*\n"),
        ("common/server.pem", "x"),
        ("common/util.py", ""),
    ])?;
    symlink(".env", tree.path("src/config"))?;
    symlink("conf/.aws/config", tree.path("src/settings"))?;
    symlink("conf/.aws", tree.path("src/folder"))?;
    let source = SourceTree { dependencies: vec![tree.path("common")], ..tree.source() };
    let packed = pack(&source)?.0;
    assert_eq!(names(&source)?, [".env.example", ".smtrainignore", "common/util.py", "train.py"]);
    let expected = [".env", "common/server.pem", "conf/.aws/", "config", "deploy", "folder/", "settings"];
    assert_eq!(packed.secrets, expected);
    Ok(())
}

#[test]
fn dependencies_lie_at_the_root_with_their_own_ignore_files() -> TestResult {
    let tree = Tree::new(&[
        ("src/train.py", ""),
        ("src/.gitignore", "util.py\n.gitignore\n"),
        ("common/util.py", "u"),
        ("common/.gitignore", "*.tmp\n.gitignore\n"),
        ("common/x.tmp", ""),
        ("common/tests/t.py", ""),
        ("single.py", "s"),
    ])?;
    let dependencies = vec![tree.path("common"), tree.path("single.py")];
    let source = SourceTree { dependencies, exclude: vec!["common/tests/".into()], ..tree.source() };
    assert_eq!(names(&source)?, ["common/util.py", "single.py", "train.py"]);
    Ok(())
}

#[test]
fn two_of_one_name_at_the_root_are_an_error_unless_one_is_left_out() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/common/a.py", ""), ("common/b.py", "")])?;
    let mut source = SourceTree { dependencies: vec![tree.path("common")], ..tree.source() };
    let error = error_of(pack(&source))?;
    assert!(matches!(&error, PackError::Clash { name, .. } if name == "common"));
    tree.add("src/.gitignore", b"common/\n.gitignore\n")?;
    assert_eq!(names(&source)?, ["common/b.py", "train.py"]);
    source.dependencies.push(tree.path("common"));
    assert!(matches!(error_of(pack(&source))?, PackError::Clash { .. }));
    Ok(())
}

#[test]
fn an_entry_point_that_is_missing_or_left_out_is_an_error() -> TestResult {
    let tree = Tree::new(&[("src/a/train.py", ""), ("src/x.py", ""), ("src/.gitignore", "/a/\n"), ("other.py", "")])?;
    for missing in ["no.py", "a", "../other.py", ""] {
        let source = SourceTree { entry_point: Some(missing.into()), ..tree.source() };
        assert!(matches!(error_of(pack(&source))?, PackError::EntryPointMissing { .. }), "{missing}");
    }
    let source = SourceTree { entry_point: Some("a/train.py".into()), ..tree.source() };
    let message = error_of(pack(&source))?.to_string();
    assert!(message.contains("the pattern /a/ of ") && message.ends_with("src/.gitignore"), "{message}");
    let source = SourceTree { entry_point: Some("x.py".into()), ..tree.source() };
    assert_eq!(pack(&source)?.0.files, 2);
    Ok(())
}

#[test]
fn the_hint_for_an_entry_point_that_is_left_out_is_for_the_place_of_the_pattern() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/.smtrainignore", "!train.py\n")])?;
    let source = SourceTree { entry_point: Some("train.py".into()), exclude: vec!["*.py".into()], ..tree.source() };
    assert_eq!(error_of(pack(&source))?.hint(), Some("take the pattern out of source.exclude"));
    tree.add("src/.smtrainignore", b"*.py\n")?;
    let source = SourceTree { exclude: Vec::new(), ..source };
    assert!(error_of(pack(&source))?.hint().is_some_and(|hint| hint.contains(".smtrainignore")));
    Ok(())
}

#[test]
fn folders_that_are_never_packed_stay_out_by_any_way() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/state/jobs/a/log", ""), ("src/lib/state/x", "")])?;
    symlink("state/jobs", tree.path("src/link"))?;
    let own_folders = vec![tree.path("src/state"), tree.path("missing")];
    let source = SourceTree { own_folders, ..tree.source() };
    assert_eq!(names(&source)?, ["lib/state/x", "train.py"]);
    assert_eq!(pack(&source)?.0.skipped.tooling, 2);
    // A folder around the source leaves nothing out.
    let around = SourceTree { own_folders: vec![tree.path("src"), tree.path("")], ..tree.source() };
    assert_eq!(pack(&around)?.0.files, 4);
    Ok(())
}

#[test]
fn an_entry_point_that_is_a_secret_is_an_error() -> TestResult {
    let tree = Tree::new(&[("src/x.py", ""), ("src/.env", "")])?;
    symlink(".env", tree.path("src/train.sh"))?;
    let source = SourceTree { entry_point: Some("train.sh".into()), ..tree.source() };
    assert!(matches!(error_of(pack(&source))?, PackError::EntryPointLeftOut { .. }));
    Ok(())
}

#[test]
fn an_empty_tree_and_a_missing_one_are_errors() -> TestResult {
    let tree = Tree::new(&[("src/.env", "")])?;
    assert!(matches!(error_of(pack(&tree.source()))?, PackError::NothingToPack(_)));
    let alone = SourceTree { dependencies: vec![tree.path("no")], ..tree.source() };
    assert!(matches!(error_of(pack(&alone))?, PackError::DependencyMissing { .. }));
    let missing = SourceTree { dir: tree.path("no"), ..tree.source() };
    assert!(matches!(error_of(pack(&missing))?, PackError::NotAFolder(_)));
    Ok(())
}

#[test]
fn folders_nested_a_thousand_deep_are_packed() -> TestResult {
    let tree = Tree::new(&[(&format!("src/{}x", "d/".repeat(500)), "deep")])?;
    assert_eq!(pack(&tree.source())?.0.files, 1);
    Ok(())
}
