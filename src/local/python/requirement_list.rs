//! Reads a list of requirements for what decides how it is installed: whether it names files of the code, and what uv
//! can't install.

use std::path::Path;

/// Options of a requirements file whose value can be a file or folder: more requirements, constraints, a package's
/// source, a folder of packages.
const FILE_OPTIONS: [&str; 8] = ["--requirement", "--constraint", "--editable", "--find-links", "-r", "-c", "-e", "-f"];
const EDITABLE_OPTIONS: [&str; 2] = ["--editable", "-e"];

/// Returns whether a requirement is a file or folder: another list, or a package's source.
pub(super) fn names_files(requirements: &str) -> bool {
    requirements.lines().map(without_comment).any(|line| {
        if line.starts_with('-') {
            FILE_OPTIONS.iter().find_map(|option| line.strip_prefix(option)).is_some_and(is_on_this_computer)
        } else {
            is_on_this_computer(line) && is_path(line)
        }
    })
}

/// Returns whether a requirement is an editable package of a repository, such as `-e git+https://...`. uv installs only
/// folders as editable.
pub(super) fn has_editable_repository(requirements: &str) -> bool {
    let value = |line: &'_ str| EDITABLE_OPTIONS.iter().find_map(|option| line.strip_prefix(option).map(str::to_owned));
    requirements.lines().map(without_comment).filter_map(value).any(|value| !is_on_this_computer(&value))
}

fn without_comment(line: &str) -> &str {
    let line = line.trim();
    if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() }
}

/// Returns whether a path or URL is on this computer.
fn is_on_this_computer(value: &str) -> bool {
    value.contains("file:") || !value.contains("://")
}

/// Returns whether a requirement is a path instead of a package's name, such as `wheels/tiny.whl`.
fn is_path(line: &str) -> bool {
    let path = line.split([';', '[']).next().unwrap_or_default().trim();
    path.starts_with('.') || path.contains(['/', ':']) || Path::new(path).extension() == Some("whl".as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requirements_that_name_files() {
        for line in [
            "-r more.txt",
            "-rmore.txt",
            "--requirement=more.txt",
            "-c pins.txt",
            "--constraint pins.txt",
            "-e .",
            "--editable=../pkg",
            "--find-links wheels",
            "-f file:///wheels",
            "  ./wheels/a.whl",
            "/src/a",
            "wheels/a.whl ; python_version > '3'",
            "a-1.0-py3-none-any.whl",
            "src/pkg[extra]",
            "pkg @ file:../pkg",
            "pkg @ file:pkg",
            ".",
        ] {
            assert!(names_files(&format!("numpy\n{line}\n")), "{line}");
        }
        for line in [
            "--extra-index-url https://packages.example.com/simple",
            "--index-url=https://packages.example.com/simple",
            "--find-links https://example.com/wheels/",
            "-r https://example.com/more.txt",
            "-e git+https://example.com/pkg.git#egg=pkg",
            "--no-binary :all:",
            "--prefer-binary",
            "    --hash=sha256:0123",
            "numpy==2.0  # see docs/numpy.md",
            "# as in a/b",
            "",
            "pkg @ https://example.com/pkg.whl",
            "pkg[extra]==1 ; sys_platform == 'linux'",
        ] {
            assert!(!names_files(line), "{line}");
        }
    }

    #[test]
    fn editable_packages_of_repositories() {
        for line in ["-e git+https://example.com/pkg.git#egg=pkg", "--editable=git+ssh://git@example.com/pkg"] {
            assert!(has_editable_repository(&format!("numpy\n{line}\n")), "{line}");
        }
        for line in ["-e .", "--editable ./lib", "-e file:///src/pkg", "pkg @ git+https://example.com/pkg.git", "-r a"]
        {
            assert!(!has_editable_repository(line), "{line}");
        }
    }
}
