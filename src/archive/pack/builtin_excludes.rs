//! Names that are never packed, whatever `.gitignore` says: version control, caches, secrets.

use std::path::{Component, Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::exclude_reason::{ExcludeKind, ExcludedName};
use crate::archive::PackError;
use crate::archive::secrets::SECRETS;

/// Patterns of tooling in gitignore's syntax, with what they match. Case-sensitive.
const TOOLING: &[(&str, &str)] = &[
    (".git", "version control"),
    (".hg/", "version control"),
    (".svn/", "version control"),
    (".bzr/", "version control"),
    (".jj/", "version control"),
    (".sl/", "version control"),
    ("_darcs/", "version control"),
    ("CVS/", "version control"),
    ("__pycache__/", "Python's compiled files"),
    ("*.pyc", "Python's compiled files"),
    ("*.pyo", "Python's compiled files"),
    ("*.egg-info/", "made by pip from setup.py"),
    (".eggs/", "made by setuptools"),
    (".ipynb_checkpoints/", "Jupyter's copies"),
    (".pytest_cache/", "a cache"),
    (".mypy_cache/", "a cache"),
    (".ruff_cache/", "a cache"),
    (".hypothesis/", "a cache"),
    (".tox/", "test environments"),
    (".nox/", "test environments"),
    (".pixi/", "an environment"),
    ("node_modules/", "installed packages"),
    (".terraform/", "downloaded providers"),
    (".DS_Store", "the desktop's notes"),
    ("Thumbs.db", "the desktop's notes"),
];

/// The compiled tables of names.
pub(crate) struct BuiltinExcludes {
    tooling: Gitignore,
    secrets: Gitignore,
}

impl BuiltinExcludes {
    pub(crate) fn new() -> Result<Self, PackError> {
        Ok(Self { tooling: build(TOOLING, false)?, secrets: build(SECRETS, true)? })
    }

    /// Returns what a file is whose name is that of a secret. Used for data, in which tooling isn't excluded.
    pub(crate) fn find_secret(&self, path: &Path, is_dir: bool) -> Option<&'static str> {
        let ignore::Match::Ignore(glob) = self.secrets.matched(path, is_dir) else { return None };
        let (_, about) = SECRETS.iter().find(|(pattern, _)| *pattern == glob.original())?;
        Some(about)
    }

    /// Like [`Self::find_anywhere`], for secrets alone.
    pub(crate) fn find_any_secret(&self, path: &Path, is_dir: bool) -> Option<ExcludedName> {
        let path = normal(path);
        let find = |path: &Path, is_dir| match self.secrets.matched(path, is_dir) {
            ignore::Match::Ignore(glob) => {
                Some(ExcludedName { kind: ExcludeKind::Secret, by: glob.original().to_owned() })
            }
            _ => None,
        };
        find(&path, is_dir).or_else(|| path.ancestors().skip(1).find_map(|folder| find(folder, true)))
    }

    /// Returns what a file is whose name, or a parent's, is that of a secret.
    pub(crate) fn find_secret_anywhere(&self, path: &Path, is_dir: bool) -> Option<&'static str> {
        let path = normal(path);
        let around = path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
        self.find_secret(&path, is_dir).or_else(|| around.into_iter().find_map(|folder| self.find_secret(folder, true)))
    }

    /// Matches a relative path itself, not its parents.
    pub(crate) fn find(&self, path: &Path, is_dir: bool) -> Option<ExcludedName> {
        let find = |table: &Gitignore, kind| match table.matched(path, is_dir) {
            ignore::Match::Ignore(glob) => Some(ExcludedName { kind, by: glob.original().to_owned() }),
            _ => None,
        };
        find(&self.tooling, ExcludeKind::Tooling).or_else(|| find(&self.secrets, ExcludeKind::Secret))
    }

    /// Matches a path and all its parents, as is needed for the target of a link.
    pub(crate) fn find_anywhere(&self, path: &Path, is_dir: bool) -> Option<ExcludedName> {
        let path = normal(path);
        let around = path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
        self.find(&path, is_dir).or_else(|| around.into_iter().find_map(|folder| self.find(folder, true)))
    }
}

/// Removes the root and dots from a path.
fn normal(path: &Path) -> PathBuf {
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

fn build(table: &[(&str, &str)], case_insensitive: bool) -> Result<Gitignore, PackError> {
    let bad = |pattern: &str, error: &ignore::Error| PackError::BadPattern {
        pattern: pattern.to_owned(),
        place: "the built-in table".to_owned(),
        problem: error.to_string(),
    };
    let mut builder = GitignoreBuilder::new("");
    builder.case_insensitive(case_insensitive).map_err(|error| bad("", &error))?;
    for (pattern, _) in table {
        builder.add_line(None, pattern).map_err(|error| bad(pattern, &error))?;
    }
    builder.build().map_err(|error| bad("", &error))
}

/// Returns whether a folder is a Python environment, by the marks of venv and conda.
pub(crate) fn is_environment(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").is_file() || folder.join("conda-meta").join("history").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::TestResult;

    fn kind(path: &str, is_dir: bool) -> Result<Option<ExcludeKind>, PackError> {
        Ok(BuiltinExcludes::new()?.find(Path::new(path), is_dir).map(|found| found.kind))
    }

    #[test]
    fn secrets_are_known_by_name_at_any_depth_and_in_any_case() -> TestResult {
        for path in [
            ".env",
            "a/b/.env",
            ".ENV",
            ".env.production",
            ".envrc",
            "certs/server.pem",
            "SERVER.PEM",
            "tls.key",
            "id_rsa",
            "deep/id_ed25519",
            ".netrc",
            ".pypirc",
            ".git-credentials",
            "credentials.json",
            "store.p12",
            "store.pfx",
            "service-account-prod.json",
            "service_account.json",
            "home/.docker/config.json",
            "secrets.yaml",
            "prod.tfstate",
            "prod.env",
            "deploy/config.env",
            "terraform.tfvars",
            "infra/prod.auto.tfvars",
            "aws/credentials",
            "credentials",
            "home/.bash_history",
            ".zsh_history",
            ".python_history",
            "id_rsa.bak",
            "id_ed25519.old",
            "id_rsa~",
            "tls.key.bak",
            ".netrc~",
            "credentials.bak",
            "secring.gpg",
            "private-key.asc",
            "AuthKey_AB12CD34EF.p8",
            "home/.terraform.d/credentials.tfrc.json",
            "home/.dbt/profiles.yml",
            "repo/.dvc/config.local",
            "someone_accessKeys.csv",
            "rootkey.csv",
            "new_user_credentials.csv",
            "office.ovpn",
            "wallet.dat",
            "login.keychain-db",
            "profile/cookies.sqlite",
        ] {
            assert_eq!(kind(path, false)?, Some(ExcludeKind::Secret), "{path}");
        }
        for path in [".env", ".aws", "x/.ssh", ".kube", ".gnupg", "home/.config/gcloud", ".snowsql", ".config/wandb"] {
            assert_eq!(kind(path, true)?, Some(ExcludeKind::Secret), "{path}");
        }
        Ok(())
    }

    #[test]
    fn what_only_looks_like_a_secret_stays() -> TestResult {
        for path in [
            ".env.example",
            "a/.env.sample",
            ".env.template",
            "environment.yml",
            "env.py",
            "keys.py",
            "monkey.py",
            "id_rsa.pub",
            "id_rsa.pub.bak",
            "train.py.bak",
            "model.old",
            "README~",
            "profiles.yml",
            "dbt/profiles.yml",
            ".dvc/config",
            "public.asc",
            "keys.csv",
            "Cookies",
            "cookies.json",
            "history.csv",
            "config.json",
            "docker/config.json",
            "tokenizer.json",
            "credentials.py",
            "secrets.py",
            "cvs",
            "example.env",
            "prod.sample.env",
            "config-template.env",
            "example.tfvars",
            "terraform.tfvars.example",
        ] {
            assert_eq!(kind(path, false)?, None, "{path}");
        }
        for path in ["gym.env", "credentials"] {
            assert_eq!(kind(path, true)?, None, "{path}/");
        }
        Ok(())
    }

    #[test]
    fn caches_and_version_control_are_known() -> TestResult {
        for path in [".git", "a/.git", "__pycache__", "pkg/x.egg-info", "node_modules", ".ipynb_checkpoints", ".tox"] {
            assert_eq!(kind(path, true)?, Some(ExcludeKind::Tooling), "{path}");
        }
        for path in [".git", "x/y.pyc", ".DS_Store"] {
            assert_eq!(kind(path, false)?, Some(ExcludeKind::Tooling), "{path}");
        }
        assert_eq!(kind(".gitignore", false)?, None);
        assert_eq!(kind(".github", true)?, None);
        Ok(())
    }

    #[test]
    fn the_folders_around_a_target_count() -> TestResult {
        let builtin = BuiltinExcludes::new()?;
        let found = builtin.find_anywhere(Path::new("/home/someone/.aws/config"), false);
        assert_eq!(found.map(|found| found.kind), Some(ExcludeKind::Secret));
        assert!(builtin.find_anywhere(Path::new("src/.aws/.env.example"), false).is_some());
        assert!(builtin.find_anywhere(Path::new("src/model.py"), false).is_none());
        Ok(())
    }
}
