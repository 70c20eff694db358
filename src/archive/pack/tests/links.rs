//! Symbolic links, and other things that are not plain files.

use super::*;

#[test]
fn a_link_to_a_dependency_that_is_a_secret_is_seen_through() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), (".env", "PASSWORD=x")])?;
    symlink("../.env", tree.path("src/config"))?;
    let source = SourceTree { dependencies: vec![tree.path(".env")], ..tree.source() };
    assert_eq!(names(&source)?, ["train.py"]);
    assert_eq!(pack(&source)?.0.secrets, [".env", "config"]);
    Ok(())
}

#[test]
fn links_inside_become_what_they_lead_to() -> TestResult {
    let tree = Tree::new(&[("src/lib/a.py", "a"), ("src/lib/b.py", "b")])?;
    symlink("lib/a.py", tree.path("src/file"))?;
    symlink("lib", tree.path("src/folder"))?;
    symlink(tree.path("src/lib/b.py"), tree.path("src/absolute"))?;
    let contents = contents(&pack(&tree.source())?.1)?;
    let expected = [
        ("absolute", "b"),
        ("file", "a"),
        ("folder/a.py", "a"),
        ("folder/b.py", "b"),
        ("lib/a.py", "a"),
        ("lib/b.py", "b"),
    ];
    assert_eq!(contents, expected.map(|(name, content)| (name.to_owned(), content.to_owned())).into());
    Ok(())
}

#[test]
fn a_link_that_leads_out_is_an_error_unless_allowed_or_excluded() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("outside.txt", "o")])?;
    symlink("../outside.txt", tree.path("src/link"))?;
    let error = error_of(pack(&tree.source()))?;
    assert!(matches!(&error, PackError::LinkOutside { link, target }
        if link.ends_with("src/link") && target == Path::new("../outside.txt")));
    assert!(error.hint().is_some_and(|hint| hint.contains("external_symlinks = true")));
    assert_eq!(names(&SourceTree { external_symlinks: true, ..tree.source() })?, ["link", "train.py"]);
    assert_eq!(names(&SourceTree { exclude: vec!["link".into()], ..tree.source() })?, ["train.py"]);
    assert!(matches!(
        error_of(pack(&SourceTree { dir: tree.path("src/link"), ..tree.source() }))?,
        PackError::NotAFolder(_)
    ));
    Ok(())
}

#[test]
fn an_external_link_into_a_secret_folder_is_left_out() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("home/.ssh/config", "x")])?;
    symlink("../home/.ssh/config", tree.path("src/ssh"))?;
    let source = SourceTree { external_symlinks: true, ..tree.source() };
    assert_eq!(pack(&source)?.0.secrets, ["ssh"]);
    Ok(())
}

#[test]
fn broken_links_and_loops_are_errors_and_do_not_hang() -> TestResult {
    let broken = Tree::new(&[("src/train.py", "")])?;
    symlink("nowhere", broken.path("src/link"))?;
    assert!(matches!(error_of(pack(&broken.source()))?, PackError::BrokenLink { link, .. } if link.ends_with("link")));

    let itself = Tree::new(&[("src/train.py", "")])?;
    symlink("b", itself.path("src/a"))?;
    symlink("a", itself.path("src/b"))?;
    assert!(matches!(error_of(pack(&itself.source()))?, PackError::LinkLoop(_)));

    let around = Tree::new(&[("src/deep/train.py", "")])?;
    symlink("..", around.path("src/deep/up"))?;
    assert!(matches!(error_of(pack(&around.source()))?, PackError::LinkLoop(_)));
    Ok(())
}

#[test]
fn special_files_are_passed_over_without_waiting_for_them() -> TestResult {
    let tree = Tree::new(&[("src/train.py", "")])?;
    nix::unistd::mkfifo(&tree.path("src/fifo"), nix::sys::stat::Mode::S_IRWXU)?;
    symlink("fifo", tree.path("src/link"))?;
    let _socket = std::os::unix::net::UnixListener::bind(tree.path("src/socket"))?;
    assert_eq!(names(&tree.source())?, ["train.py"]);
    assert_eq!(pack(&tree.source())?.0.skipped.special, 3);
    Ok(())
}
