//! Files that git tracks are packed whatever its ignore files say. git itself makes the repositories.

use super::*;

/// Runs a script in the folder `src`, which is a repository after it.
fn git(tree: &Tree, script: &str) -> TestResult {
    let script = format!("git config --global init.defaultBranch main; {script}");
    let mut command = Command::new("sh");
    command.args(["-euc", &script]).current_dir(tree.path("src"));
    let user = [("GIT_AUTHOR_NAME", "a"), ("GIT_AUTHOR_EMAIL", "a@example.com"), ("GIT_COMMITTER_NAME", "a")];
    command.envs(user).env("GIT_COMMITTER_EMAIL", "a@example.com").env("HOME", tree.folder.path());
    let output = output(&mut command)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

/// A source folder whose `.gitignore` names tracked files (by `git add -f`) and others.
fn tracked() -> Result<Tree, Box<dyn std::error::Error>> {
    Tree::new(&[
        ("src/.gitignore", "lib/\n*.json\n"),
        ("src/train.py", "t"),
        ("src/lib/a.py", "a"),
        ("src/lib/untracked.py", "u"),
        ("src/lib/deep/b.py", "b"),
        ("src/lib/other/untracked.py", "u"),
        ("src/config.json", "{}"),
        ("src/untracked.json", "{}"),
    ])
}

const FORCE: &str = "git add -f lib/a.py lib/deep/b.py config.json .gitignore train.py";
const PACKED: [&str; 5] = [".gitignore", "config.json", "lib/a.py", "lib/deep/b.py", "train.py"];

#[test]
fn tracked_files_are_packed_in_every_form_of_an_index() -> TestResult {
    for (init, after) in [
        ("git init -q", ""),
        ("git init -q", "git commit -qm 1; rm .git/index; git reset -q"),
        ("git init -q", "touch new; git add -N new; git rm -q --cached new; rm new; git add -f -N config.json"),
        ("git init -q", "git update-index --index-version 4"),
        ("git init -q --object-format=sha256", ""),
        ("git init -q --object-format=sha256", "git update-index --index-version 4"),
    ] {
        let tree = tracked()?;
        git(&tree, &format!("{init}; {FORCE}; {after}"))?;
        assert_eq!(names(&tree.source())?, PACKED, "{init}; {after}");
    }
    Ok(())
}

#[test]
fn a_split_index_is_read_with_its_shared_one() -> TestResult {
    let tree = tracked()?;
    let split = "git config core.splitIndex true; git config splitIndex.maxPercentChange 100";
    git(
        &tree,
        &format!("git init -q; {FORCE}; {split}; git update-index --split-index; git rm -q --cached config.json"),
    )?;
    let has_shared = fs::read_dir(tree.path("src/.git"))?
        .filter_map(Result::ok)
        .any(|entry| entry.file_name().to_string_lossy().starts_with("sharedindex."));
    assert!(has_shared, "git has made no shared index");
    assert_eq!(names(&tree.source())?, [".gitignore", "lib/a.py", "lib/deep/b.py", "train.py"]);
    git(&tree, "git add -f untracked.json")?;
    assert_eq!(names(&tree.source())?, [".gitignore", "lib/a.py", "lib/deep/b.py", "train.py", "untracked.json"]);
    Ok(())
}

#[test]
fn untracked_files_of_an_ignored_folder_stay_out() -> TestResult {
    let tree = tracked()?;
    git(&tree, &format!("git init -q; {FORCE}"))?;
    let packed = pack(&tree.source())?.0;
    let mut ignored: Vec<&str> = packed.skipped.ignored_names.iter().map(|(name, _)| name.as_str()).collect();
    ignored.sort_unstable();
    assert_eq!(ignored, ["lib/other/", "lib/untracked.py", "untracked.json"]);
    Ok(())
}

#[test]
fn own_patterns_win_over_git() -> TestResult {
    let tree = tracked()?;
    git(&tree, &format!("git init -q; {FORCE}"))?;
    tree.add("src/.smtrainignore", b"lib/deep/\n")?;
    let source = SourceTree { exclude: vec!["config.json".to_owned()], ..tree.source() };
    assert_eq!(names(&source)?, [".gitignore", ".smtrainignore", "lib/a.py", "train.py"]);
    Ok(())
}

#[test]
fn the_repository_may_be_around_the_source_folder() -> TestResult {
    let tree = Tree::new(&[("src/.gitignore", "*.json\n"), ("src/job/a.json", "1"), ("src/job/b.json", "2")])?;
    tree.add("src/job.json", b"3")?;
    git(&tree, "git init -q; git add -f job/a.json job.json")?;
    let source = SourceTree { dir: tree.path("src/job"), ..SourceTree::default() };
    assert_eq!(names(&source)?, ["a.json"]);
    Ok(())
}

#[test]
fn linked_work_trees_and_repositories_within_have_their_own_index() -> TestResult {
    let tree = tracked()?;
    git(&tree, &format!("git init -q; {FORCE}; git commit -qm 1; git worktree add -q ../linked"))?;
    let linked = SourceTree { dir: tree.path("linked"), ..SourceTree::default() };
    assert_eq!(names(&linked)?, PACKED);

    let tree = Tree::new(&[("src/.gitignore", "*.json\n"), ("src/sub/a.json", "1"), ("src/sub/b.json", "2")])?;
    git(
        &tree,
        "git init -q; cd sub; git init -q; git add -f a.json; git commit -qm 1; cd ..; git add sub .gitignore 2>/dev/null",
    )?;
    assert_eq!(names(&tree.source())?, [".gitignore", "sub/a.json"]);
    Ok(())
}

#[test]
fn an_entry_point_that_git_tracks_is_no_ignored_one() -> TestResult {
    let tree = tracked()?;
    git(&tree, &format!("git init -q; {FORCE}"))?;
    let source = |entry_point: &str| SourceTree { entry_point: Some(entry_point.to_owned()), ..tree.source() };
    assert!(pack(&source("lib/a.py")).is_ok());
    assert!(matches!(error_of(pack(&source("lib/untracked.py")))?, PackError::EntryPointLeftOut { .. }));
    Ok(())
}

/// A copy of a linked work tree has a `.git` that leads nowhere: what git tracks is unknown there, which is told.
#[test]
fn a_repository_that_cannot_be_read_is_told() -> TestResult {
    let tree = tracked()?;
    assert_eq!(pack(&tree.source())?.0.doubts, [""; 0]);
    for text in ["gitdir: /nonexistent/worktrees/src\n", "garbage"] {
        tree.add("src/.git", text.as_bytes())?;
        let packed = pack(&tree.source())?.0;
        let path = tree.path("src/.git").canonicalize()?;
        assert_eq!(packed.doubts, [format!("{} leads to no repository", path.display())], "{text}");
    }
    // Without a .gitignore nothing is left out.
    let plain = Tree::new(&[("src/train.py", ""), ("src/.git", "garbage")])?;
    assert_eq!(pack(&plain.source())?.0.doubts, [""; 0]);
    Ok(())
}

#[test]
fn a_damaged_index_is_an_error() -> TestResult {
    let tree = tracked()?;
    git(&tree, &format!("git init -q; {FORCE}"))?;
    let index = fs::read(tree.path("src/.git/index"))?;
    for length in (0..index.len()).step_by(7) {
        fs::write(tree.path("src/.git/index"), &index[..length])?;
        assert!(matches!(error_of(pack(&tree.source()))?, PackError::GitIndex { .. }), "{length} bytes");
    }
    Ok(())
}

#[test]
fn names_are_those_of_git_ls_files() -> TestResult {
    let tree = Tree::new(&[("src/.gitignore", "*\n")])?;
    for index in 0..300 {
        tree.add(&format!("src/{}/{index} \u{e9}/f{}.txt", "d".repeat(index % 40 + 1), index * 7), b"x")?;
    }
    git(
        &tree,
        "git init -q; git add -f .; git update-index --index-version 4; git -c core.quotePath=false ls-files > ../list",
    )?;
    let mut listed: Vec<String> = fs::read_to_string(tree.path("list"))?.lines().map(str::to_owned).collect();
    listed.sort_unstable();
    let mut packed = names(&tree.source())?;
    packed.sort_unstable();
    assert_eq!(packed, listed);
    Ok(())
}
