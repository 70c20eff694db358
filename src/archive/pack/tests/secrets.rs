//! Secrets: left out, refused, or allowed.

use super::*;

/// A line that gives an AWS key away, made here so that no scanner takes this file for a leak.
fn aws_line() -> String {
    let value: String = "w9Jx".chars().chain("Ab3/Cd4+Ef5gHi6J".chars().cycle().take(36)).collect();
    format!("AWS_SECRET_ACCESS_KEY = \"{value}\"\n")
}

fn refused(source: &SourceTree) -> Result<String, Box<dyn std::error::Error>> {
    let error = error_of(pack(source))?;
    assert!(matches!(error, PackError::Secrets(_)), "{error}");
    assert_eq!(error_of(check_source(source))?.to_string(), error.to_string());
    Ok(error.to_string())
}

#[test]
fn a_negation_overrules_a_name() -> TestResult {
    let tree = Tree::new(&[
        ("src/train.py", ""),
        ("src/.env", "MODE=fast"),
        ("src/prod.env", "MODE=fast"),
        ("src/.gitignore", "!prod.env\n"),
        ("src/.smtrainignore", ".*ignore\n!.env\n"),
    ])?;
    let packed = pack(&tree.source())?.0;
    assert_eq!(names(&tree.source())?, [".env", "train.py"], "a .gitignore is no word of the user's to smtrain");
    assert_eq!((packed.secrets, packed.allowed), (vec!["prod.env".to_owned()], vec![".env".to_owned()]));
    let source = SourceTree { exclude: vec!["!prod.env".into(), "/.env".into()], ..tree.source() };
    assert_eq!(names(&source)?, ["prod.env", "train.py"]);
    Ok(())
}

#[test]
fn what_is_left_out_for_its_content_is_not_said_to_be_sent() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/id_rsa", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")])?;
    let source = SourceTree { exclude: vec!["!id_rsa".into()], ..tree.source() };
    let packed = pack(&source)?.0;
    assert_eq!((packed.secrets, packed.allowed), (vec!["id_rsa".to_owned()], Vec::new()));
    let source = SourceTree { allow_secrets: vec!["id_rsa".into()], ..tree.source() };
    let packed = pack(&source)?.0;
    assert_eq!((packed.secrets, packed.allowed), (Vec::new(), vec!["id_rsa".to_owned()]));
    Ok(())
}

#[test]
fn a_negation_of_everything_names_nothing() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/.env", "MODE=fast"), ("src/.git/HEAD", "")])?;
    for pattern in ["!*", "!**", "!/**/*"] {
        let source = SourceTree { exclude: vec![pattern.into(), "!.git".into()], ..tree.source() };
        assert_eq!(names(&source)?, ["train.py"], "{pattern}");
    }
    Ok(())
}

#[test]
fn code_that_holds_secrets_is_refused_with_all_of_them() -> TestResult {
    let tree = Tree::new(&[("src/ok.py", "")])?;
    tree.add("src/train.py", format!("import os\n\n{}", aws_line()).as_bytes())?;
    tree.add("src/lib/util.py", aws_line().as_bytes())?;
    let message = refused(&tree.source())?;
    assert!(message.contains("\n  lib/util.py:1: an AWS secret access key\n  train.py:3: an AWS secret"), "{message}");
    assert!(!message.contains("Ab3/"), "the secret is shown: {message}");
    // No negation overrules a content.
    let source = SourceTree { exclude: vec!["!train.py".into(), "!lib/".into()], ..tree.source() };
    assert_eq!(refused(&source)?, message);
    Ok(())
}

#[test]
fn very_many_secrets_are_counted() -> TestResult {
    let tree = Tree::new(&[])?;
    for number in 100..203 {
        tree.add(&format!("src/{number}.py"), aws_line().as_bytes())?;
    }
    let message = refused(&tree.source())?;
    assert!(message.contains("  199.py:1:") && !message.contains("200.py"), "{message}");
    assert!(message.ends_with("\n  and 3 more"), "{message}");
    Ok(())
}

#[test]
fn allowed_secrets_are_sent_and_named() -> TestResult {
    let tree = Tree::new(&[("src/.aws/config", "x"), ("src/deploy", "-----BEGIN PRIVATE KEY-----\nx")])?;
    tree.add("src/train.py", aws_line().as_bytes())?;
    tree.add("src/lib/util.py", aws_line().as_bytes())?;
    let allow_secrets = ["train.py", "lib/", ".aws/", "deploy"].map(str::to_owned).to_vec();
    let source = SourceTree { allow_secrets, ..tree.source() };
    assert_eq!(names(&source)?, [".aws/config", "deploy", "lib/util.py", "train.py"]);
    assert_eq!(pack(&source)?.0.allowed, [".aws/", "deploy", "lib/util.py", "train.py"]);
    check_source(&source)?;
    Ok(())
}

#[test]
fn a_secret_far_inside_a_large_file_is_found() -> TestResult {
    let tree = Tree::new(&[])?;
    let lines = "value = compute(1)\n".repeat(20_000);
    tree.add("src/large.py", format!("{lines}{}{lines}", aws_line()).as_bytes())?;
    assert!(refused(&tree.source())?.contains("large.py:20001: "));
    Ok(())
}

#[test]
fn certificates_are_packed_and_keys_are_not() -> TestResult {
    let certificate = "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----\n";
    let key = "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n";
    let tree = Tree::new(&[("src/train.py", ""), ("src/ca.pem", certificate), ("src/ca.crt", certificate)])?;
    tree.add("src/both.pem", [certificate, key].concat().as_bytes())?;
    tree.add("src/key.pem", key.as_bytes())?;
    tree.add("src/unknown.pem", b"x")?;
    symlink("ca.pem", tree.path("src/link.pem"))?;
    symlink("key.pem", tree.path("src/other.pem"))?;
    assert_eq!(names(&tree.source())?, ["ca.crt", "ca.pem", "link.pem", "train.py"]);
    assert_eq!(pack(&tree.source())?.0.secrets, ["both.pem", "key.pem", "other.pem", "unknown.pem"]);
    Ok(())
}

#[test]
fn a_link_to_a_secret_is_allowed_by_its_own_name() -> TestResult {
    let tree = Tree::new(&[("src/train.py", ""), ("src/.env", "MODE=fast"), ("home/.aws/config", "x")])?;
    symlink("../home/.aws/config", tree.path("src/aws"))?;
    symlink(".env", tree.path("src/settings"))?;
    let source = SourceTree { external_symlinks: true, allow_secrets: vec!["other".into()], ..tree.source() };
    assert_eq!(names(&source)?, ["train.py"]);
    let source = SourceTree { allow_secrets: vec!["aws".into(), "settings".into()], ..source };
    assert_eq!(names(&source)?, ["aws", "settings", "train.py"]);
    assert_eq!(pack(&source)?.0.allowed, ["aws", "settings"]);
    let source = SourceTree { allow_secrets: vec![".env".into()], ..source };
    assert_eq!(names(&source)?, [".env", "settings", "train.py"]);
    Ok(())
}
