//! What never goes into a code archive, whatever the ignore files say: version control, caches, secrets.

use std::path::{Component, Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::PackError;

/// Patterns in gitignore's syntax, with what they are. Case counts.
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

/// Likewise for secrets; later lines win over earlier ones, and case does not count, since some file systems ignore it.
const SECRETS: &[(&str, &str)] = &[
    ("*.env", "environment variables, by convention with passwords"),
    ("!*.env/", "a folder of code or environments"),
    ("!*example.env", "a form to fill in"),
    ("!*sample.env", "a form to fill in"),
    ("!*template.env", "a form to fill in"),
    (".env", "environment variables, or a folder of them"),
    (".env.*", "likewise, for one stage or machine"),
    ("!.env.example", "a form to fill in"),
    ("!.env.sample", "a form to fill in"),
    ("!.env.template", "a form to fill in"),
    ("!.env.dist", "a form to fill in"),
    (".envrc", "direnv's environment variables"),
    (".aws/", "AWS credentials"),
    (".azure/", "Azure credentials"),
    ("**/.config/gcloud/", "Google Cloud credentials"),
    ("application_default_credentials.json", "Google Cloud credentials"),
    ("service[-_]account*.json", "a Google Cloud key, by convention"),
    ("client_secret*.json", "an OAuth client's secret"),
    ("credentials.json", "credentials, by convention"),
    ("credentials", "AWS credentials, in another folder"),
    ("!credentials/", "a folder of code"),
    ("secrets.toml", "secrets, by convention"),
    ("secrets.json", "secrets, by convention"),
    ("secrets.y*ml", "secrets, by convention"),
    (".boto", "credentials of boto and gsutil"),
    (".s3cfg", "credentials of s3cmd"),
    (".databrickscfg", "Databricks tokens"),
    (".kaggle/", "a Kaggle key"),
    ("kaggle.json", "a Kaggle key"),
    (".huggingface/", "a Hugging Face token"),
    (".ssh/", "SSH keys"),
    ("id_rsa", "an SSH key"),
    ("id_dsa", "an SSH key"),
    ("id_ecdsa", "an SSH key"),
    ("id_ecdsa_sk", "an SSH key"),
    ("id_ed25519", "an SSH key"),
    ("id_ed25519_sk", "an SSH key"),
    (".gnupg/", "GnuPG keys"),
    ("*.pem", "keys and certificates"),
    ("*.key", "a private key"),
    ("*.ppk", "a PuTTY key"),
    ("*.p12", "a key store"),
    ("*.pfx", "a key store"),
    ("*.jks", "a key store"),
    ("*.keystore", "a key store"),
    ("*.kdbx", "a password safe"),
    (".netrc", "passwords of servers"),
    ("_netrc", "passwords of servers"),
    (".git-credentials", "passwords of git servers"),
    (".pypirc", "a PyPI token"),
    (".npmrc", "an npm token"),
    (".pgpass", "database passwords"),
    (".my.cnf", "database passwords"),
    (".htpasswd", "password hashes"),
    ("**/.docker/config.json", "registry passwords"),
    (".dockercfg", "registry passwords"),
    (".kube/", "cluster credentials"),
    (".vault-token", "a Vault token"),
    (".terraformrc", "a Terraform token"),
    ("*.tfstate", "Terraform's state, which holds secrets in clear"),
    ("*.tfstate.backup", "likewise"),
    ("*.tfvars", "Terraform's variables, by convention with passwords"),
    ("*.tfvars.json", "likewise"),
    ("!*example.tfvars", "a form to fill in"),
    ("!*sample.tfvars", "a form to fill in"),
    ("!*template.tfvars", "a form to fill in"),
];

/// Keys and key files are small: larger files are not looked into.
pub(super) const LARGEST_SECRET: u64 = 64 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tooling,
    Secret,
}

/// What was recognised, and by what.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(super) kind: Kind,
    /// A pattern of the tables, or a sentence's end that says how else it was known.
    pub(super) by: String,
}

impl Found {
    pub(super) fn by_content() -> Self {
        Self { kind: Kind::Secret, by: "its content or what it links to".to_owned() }
    }

    pub(super) fn own_folder() -> Self {
        Self { kind: Kind::Tooling, by: "smtrain's own folder".to_owned() }
    }

    pub(super) fn environment() -> Self {
        Self { kind: Kind::Tooling, by: "the environment around it".to_owned() }
    }
}

pub(super) struct Never {
    tooling: Gitignore,
    secrets: Gitignore,
}

impl Never {
    pub(super) fn new() -> Result<Self, PackError> {
        Ok(Self { tooling: build(TOOLING, false)?, secrets: build(SECRETS, true)? })
    }

    /// Looks at the path itself, not at the folders around it. `path` is relative.
    pub(super) fn find(&self, path: &Path, is_dir: bool) -> Option<Found> {
        let find = |table: &Gitignore, kind| match table.matched(path, is_dir) {
            ignore::Match::Ignore(glob) => Some(Found { kind, by: glob.original().to_owned() }),
            _ => None,
        };
        find(&self.tooling, Kind::Tooling).or_else(|| find(&self.secrets, Kind::Secret))
    }

    /// Looks at the path and at every folder around it, as is needed for what a link leads to.
    pub(super) fn find_anywhere(&self, path: &Path, is_dir: bool) -> Option<Found> {
        let path: PathBuf = path.components().filter(|part| matches!(part, Component::Normal(_))).collect();
        let around = path.ancestors().skip(1).filter(|part| !part.as_os_str().is_empty());
        self.find(&path, is_dir).or_else(|| around.into_iter().find_map(|folder| self.find(folder, true)))
    }
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

/// Whether a file is a key under another name (a PEM private key, or the key of a Google service account), or gives an
/// AWS key away.
pub(super) fn is_secret_content(content: &[u8]) -> bool {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
    is_private_key(content) || is_service_account(content) || has_aws_key(content)
}

fn is_private_key(content: &[u8]) -> bool {
    let first_line = content.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
    first_line.starts_with(b"-----BEGIN ") && first_line.ends_with(b"PRIVATE KEY-----")
}

fn is_service_account(content: &[u8]) -> bool {
    content.starts_with(b"{") && contains(content, b"\"service_account\"") && contains(content, b"\"private_key\"")
}

/// An assignment to the name that AWS's tools read, in a credentials file, a shell script, YAML, JSON or Python.
fn has_aws_key(content: &[u8]) -> bool {
    let names = [&b"aws_secret_access_key"[..], b"AWS_SECRET_ACCESS_KEY"];
    names.iter().any(|name| {
        memchr::memmem::find_iter(content, name).any(|at| is_aws_key_assigned(content.get(at + name.len()..)))
    })
}

fn is_aws_key_assigned(after_name: Option<&[u8]>) -> bool {
    const LENGTH: usize = 40;
    let rest = after_name.unwrap_or_default();
    let rest = without_quote(rest).trim_ascii_start();
    let Some((b'=' | b':', rest)) = rest.split_first() else { return false };
    let rest = without_quote(rest.trim_ascii_start());
    let is_of_key = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    let key = rest.get(..rest.iter().take_while(|byte| is_of_key(byte)).count()).unwrap_or_default();
    // The keys of AWS's documentation have the word in them.
    key.len() == LENGTH && !contains(key, b"EXAMPLE")
}

fn without_quote(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\"").or(text.strip_prefix(b"'")).unwrap_or(text)
}

fn contains(content: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(content, word).is_some()
}

/// A Python environment, under whatever name: venv and conda leave these marks.
pub(super) fn is_environment(folder: &Path) -> bool {
    folder.join("pyvenv.cfg").is_file() || folder.join("conda-meta").join("history").is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    type TestResult = Result<(), Box<dyn std::error::Error>>;

    fn kind(path: &str, is_dir: bool) -> Result<Option<Kind>, PackError> {
        Ok(Never::new()?.find(Path::new(path), is_dir).map(|found| found.kind))
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
        ] {
            assert_eq!(kind(path, false)?, Some(Kind::Secret), "{path}");
        }
        for path in [".env", ".aws", "x/.ssh", ".kube", ".gnupg", "home/.config/gcloud"] {
            assert_eq!(kind(path, true)?, Some(Kind::Secret), "{path}");
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
            assert_eq!(kind(path, true)?, Some(Kind::Tooling), "{path}");
        }
        for path in [".git", "x/y.pyc", ".DS_Store"] {
            assert_eq!(kind(path, false)?, Some(Kind::Tooling), "{path}");
        }
        assert_eq!(kind(".gitignore", false)?, None);
        assert_eq!(kind(".github", true)?, None);
        Ok(())
    }

    #[test]
    fn the_folders_around_a_target_count() -> TestResult {
        let never = Never::new()?;
        let found = never.find_anywhere(Path::new("/home/someone/.aws/config"), false);
        assert_eq!(found.map(|found| found.kind), Some(Kind::Secret));
        assert!(never.find_anywhere(Path::new("src/.aws/.env.example"), false).is_some());
        assert!(never.find_anywhere(Path::new("src/model.py"), false).is_none());
        Ok(())
    }

    #[test]
    fn keys_are_known_by_content() {
        assert!(is_secret_content(b"-----BEGIN RSA PRIVATE KEY-----\nMIIE"));
        assert!(is_secret_content(b"\n -----BEGIN OPENSSH PRIVATE KEY-----\r\nb3Bl"));
        assert!(is_secret_content(b"\xef\xbb\xbf-----BEGIN PRIVATE KEY-----"));
        assert!(is_secret_content(b"{\n \"type\": \"service_account\", \"private_key\": \"x\"}"));
        assert!(!is_secret_content(b"-----BEGIN CERTIFICATE-----\nMIIE"));
        assert!(!is_secret_content(b"# about -----BEGIN PRIVATE KEY-----"));
        assert!(!is_secret_content(b"{\"type\": \"service_account\"}"));
        assert!(!is_secret_content(b""));
    }

    #[test]
    fn aws_keys_are_known_by_their_assignment() {
        const KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYzq0123abcd";
        let is_secret = |text: String| is_secret_content(text.as_bytes());
        for before in [
            "[default]\naws_access_key_id = x\naws_secret_access_key = ",
            "aws_secret_access_key=",
            "export AWS_SECRET_ACCESS_KEY='",
            "{\"aws_secret_access_key\": \"",
            "client = boto3.client('s3', aws_secret_access_key=\"",
            "aws_secret_access_key: ",
        ] {
            assert!(is_secret(format!("{before}{KEY}")), "{before}");
            assert!(is_secret(format!("{before}{KEY}\"\r\nregion = x\n")), "{before}");
            assert!(!is_secret(format!("{before}{KEY}a")) && !is_secret(format!("{before}{}", &KEY[1..])), "{before}");
        }
        for harmless in [
            format!("aws_secret_access_key {KEY}"),
            "key = os.environ['AWS_SECRET_ACCESS_KEY']".to_owned(),
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            "aws_secret_access_key =".to_owned(),
            "aws_secret_access_key".to_owned(),
        ] {
            assert!(!is_secret(harmless.clone()), "{harmless}");
        }
    }
}
