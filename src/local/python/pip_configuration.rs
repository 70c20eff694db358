//! pip's configuration, which is handed on to uv as uv's own variables and flags.
//!
//! uv reads no `PIP_*` variable and no pip.conf. Secrets stay in variables: a URL with a password is on no command
//! line. The user's own `UV_*` variables take precedence.
//!
//! Sources: pip 26.1, "Configuration" (files, their order, sections) and the options of `pip install`; uv 0.9,
//! "Environment variables".

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Program that prints pip's configuration of `pip install`, as `pip config list` finds it, and the names of uv's
/// variables. Works with every Python 3, with and without pip in it.
pub(super) const PROGRAM: &str = r#"
import configparser, json, locale, os, sys

def files():
    own = os.environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = os.path.expanduser("~")
    user = os.path.join(os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip")
    if sys.platform == "darwin":
        support = "Library/Application Support/pip"
        shared = ["/" + support]
        if os.path.isdir(os.path.join(home, support)):
            user = os.path.join(home, support)
    else:
        folders = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        shared = [os.path.join(folder, "pip") for folder in folders.split(":")] + ["/etc"]
    users = [] if own and os.path.exists(own) else [os.path.join(home, ".pip"), user]
    found = [os.path.join(folder, "pip.conf") for folder in shared + users + [sys.prefix]]
    return found + ([own] if own else [])

def normalized(name):
    name = name.lower().replace("_", "-")
    return name[2:] if name.startswith("--") else name

sections = {"global": {}, "install": {}, ":env:": {}}
for file in files():
    parser = configparser.RawConfigParser()
    parser.read(file, encoding=locale.getpreferredencoding(False))
    for section in parser.sections():
        for name, value in parser.items(section):
            sections.setdefault(section, {})[normalized(name)] = value
for name, value in os.environ.items():
    if name.startswith("PIP_"):
        sections[":env:"][normalized(name[4:])] = value
options = {}
for section in ["global", "install", ":env:"]:
    options.update((name, value) for name, value in sections[section].items() if value)
uv = [name for name, value in os.environ.items() if name.startswith("UV_") and value]
print(json.dumps({"options": options, "uv": uv}))
"#;

/// Options of `pip install` that change what is installed and that uv has no word for.
const WITHOUT_WORD: [&str; 22] = [
    "abi",
    "all-releases",
    "config-settings",
    "editable",
    "global-option",
    "group",
    "ignore-requires-python",
    "implementation",
    "no-build-isolation",
    "no-use-pep517",
    "only-final",
    "platform",
    "prefer-binary",
    "prefix",
    "pypi-url",
    "python-version",
    "requirement",
    "requirements",
    "root",
    "target",
    "uploaded-prior-to",
    "use-pep517",
];

/// The form of an option of pip's in uv's variable.
enum UvWord {
    /// The value itself.
    Text,
    /// A list, whose items pip separates by white space: joined by this text.
    List(&'static str),
    /// A switch; the value that switches it on.
    Switch(&'static str),
    /// A number of seconds or times. uv's are whole.
    Number,
}

/// Options of pip's, and the variables that are uv's words for them. Any of those that the user has set takes
/// precedence.
const VARIABLES: [(&str, UvWord, &[&str]); 15] = [
    ("index-url", UvWord::Text, &["UV_INDEX_URL", "UV_DEFAULT_INDEX"]),
    ("extra-index-url", UvWord::List(" "), &["UV_EXTRA_INDEX_URL", "UV_INDEX"]),
    ("find-links", UvWord::List(","), &["UV_FIND_LINKS"]),
    ("no-index", UvWord::Switch("1"), &["UV_NO_INDEX"]),
    ("trusted-host", UvWord::List(" "), &["UV_INSECURE_HOST"]),
    ("cert", UvWord::Text, &["SSL_CERT_FILE"]),
    ("client-cert", UvWord::Text, &["SSL_CLIENT_CERT"]),
    ("constraint", UvWord::List(" "), &["UV_CONSTRAINT"]),
    ("constraints", UvWord::List(" "), &["UV_CONSTRAINT"]),
    ("build-constraint", UvWord::List(" "), &["UV_BUILD_CONSTRAINT"]),
    ("timeout", UvWord::Number, &["UV_HTTP_TIMEOUT"]),
    ("default-timeout", UvWord::Number, &["UV_HTTP_TIMEOUT"]),
    ("retries", UvWord::Number, &["UV_HTTP_RETRIES"]),
    ("pre", UvWord::Switch("allow"), &["UV_PRERELEASE"]),
    ("require-hashes", UvWord::Switch("1"), &["UV_REQUIRE_HASHES"]),
];

/// Variables of a proxy, which HTTP clients read in either case.
const PROXIES: [&str; 4] = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"];
/// pip takes the best version of all indexes; uv by itself takes those of the first that has the package.
const ALL_INDEXES: (&str, &str) = ("UV_INDEX_STRATEGY", "unsafe-best-match");

/// pip's options of `pip install`, from its files and variables.
#[derive(Debug, Default, Deserialize)]
pub(super) struct PipConfiguration {
    options: BTreeMap<String, String>,
    /// Names of uv's variables that the user has set.
    uv: BTreeSet<String>,
}

/// The configuration in uv's words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct UvConfiguration {
    pub(super) variables: Vec<(String, String)>,
    /// Arguments of `uv pip install`, without secrets.
    pub(super) flags: Vec<String>,
    /// pip's options that uv has no word for.
    pub(super) without_word: Vec<String>,
}

impl PipConfiguration {
    /// Returns the configuration in uv's words.
    pub(super) fn for_uv(&self) -> UvConfiguration {
        let mut uv = UvConfiguration::default();
        for (option, word, names) in &VARIABLES {
            let Some(value) = self.options.get(*option) else { continue };
            match word.translate(value) {
                Some(value) if !names.iter().any(|name| self.uv.contains(*name)) => uv.set(names.first(), value),
                Some(_) => {}
                None if is_off(value) => {}
                None => uv.without_word.push((*option).to_owned()),
            }
        }
        if self.options.contains_key("extra-index-url") && !self.uv.contains(ALL_INDEXES.0) {
            uv.set(Some(&ALL_INDEXES.0), ALL_INDEXES.1.to_owned());
        }
        if let Some(proxy) = self.options.get("proxy") {
            for name in &PROXIES {
                uv.set(Some(name), proxy.clone());
            }
        }
        self.add_flags(&mut uv);
        let without_word = WITHOUT_WORD.iter().filter(|option| self.needs(option));
        uv.without_word.extend(without_word.map(|option| (*option).to_owned()));
        uv
    }

    fn add_flags(&self, uv: &mut UvConfiguration) {
        for option in ["no-binary", "only-binary"] {
            let packages = self.options.get(option).into_iter().flat_map(|value| value.split([',', ' ', '\n']));
            let flags = packages.filter(|package| !package.is_empty());
            uv.flags.extend(flags.flat_map(|package| [format!("--{option}"), package.to_owned()]));
        }
        if ["no-deps", "no-dependencies"].iter().any(|option| self.is_on(option)) {
            uv.flags.push("--no-deps".to_owned());
        }
        match self.options.get("keyring-provider").map(String::as_str) {
            Some("subprocess") => uv.set(Some(&"UV_KEYRING_PROVIDER"), "subprocess".to_owned()),
            Some("import") => uv.without_word.push("keyring-provider".to_owned()),
            _ => {}
        }
    }

    fn is_on(&self, option: &str) -> bool {
        self.options.get(option).is_some_and(|value| !is_off(value))
    }

    /// Returns whether an option without a word is set. The negated switches of pip's count with any value: pip reads
    /// `no-build-isolation = 0` as the switch itself.
    fn needs(&self, option: &str) -> bool {
        if option.starts_with("no-") { self.options.contains_key(option) } else { self.is_on(option) }
    }
}

impl UvConfiguration {
    fn set(&mut self, name: Option<&&str>, value: String) {
        self.variables.extend(name.map(|name| ((*name).to_owned(), value)));
    }
}

impl UvWord {
    /// Returns the value as uv reads it; `None` if uv can't have this value.
    fn translate(&self, value: &str) -> Option<String> {
        match self {
            Self::Text => Some(value.trim().to_owned()),
            Self::List(separator) => {
                let items: Vec<&str> = value.split_whitespace().collect();
                let is_separable = !items.iter().any(|item| item.contains(*separator));
                is_separable.then(|| items.join(separator))
            }
            Self::Switch(on) => (!is_off(value)).then(|| (*on).to_owned()),
            Self::Number => {
                let number: f64 = value.trim().parse().ok()?;
                (number.is_finite() && number >= 0.0).then(|| format!("{:.0}", number.ceil()))
            }
        }
    }
}

/// Returns whether pip reads a switch's value as off.
fn is_off(value: &str) -> bool {
    ["0", "f", "false", "n", "no", "off"].contains(&value.trim().to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    use super::*;
    use crate::tests::TestResult;

    fn for_uv(options: &[(&str, &str)], uv: &[&str]) -> UvConfiguration {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let uv = uv.iter().map(|name| (*name).to_owned()).collect();
        PipConfiguration { options: options.iter().map(own).collect(), uv }.for_uv()
    }

    fn variables(options: &[(&str, &str)], uv: &[&str]) -> Vec<String> {
        let made = for_uv(options, uv);
        assert_eq!(made.without_word, Vec::<String>::new());
        made.variables.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    }

    #[test]
    fn options_in_uv_s_words() {
        for (option, value, expected) in [
            ("index-url", "https://me:pw@example.com/simple", &["UV_INDEX_URL=https://me:pw@example.com/simple"][..]),
            (
                "extra-index-url",
                "\nhttps://a/simple\nhttps://b/simple",
                &["UV_EXTRA_INDEX_URL=https://a/simple https://b/simple", "UV_INDEX_STRATEGY=unsafe-best-match"],
            ),
            ("find-links", "/wheels https://a/wheels", &["UV_FIND_LINKS=/wheels,https://a/wheels"]),
            ("no-index", "true", &["UV_NO_INDEX=1"]),
            ("no-index", "0", &[]),
            ("trusted-host", "a.example.com b:8080", &["UV_INSECURE_HOST=a.example.com b:8080"]),
            ("cert", "/ca.pem", &["SSL_CERT_FILE=/ca.pem"]),
            ("client-cert", "/me.pem", &["SSL_CLIENT_CERT=/me.pem"]),
            ("constraint", "/pins.txt more.txt", &["UV_CONSTRAINT=/pins.txt more.txt"]),
            ("default-timeout", "12.5", &["UV_HTTP_TIMEOUT=13"]),
            ("retries", "7", &["UV_HTTP_RETRIES=7"]),
            ("pre", "yes", &["UV_PRERELEASE=allow"]),
            ("keyring-provider", "subprocess", &["UV_KEYRING_PROVIDER=subprocess"]),
            ("cache-dir", "/cache", &[]),
            ("prefer-binary", "false", &[]),
        ] {
            assert_eq!(variables(&[(option, value)], &[]), expected, "{option}");
        }
        let proxied = variables(&[("proxy", "http://proxy:3128")], &[]);
        assert_eq!(proxied.len(), 4);
        let flags = for_uv(&[("only-binary", "numpy,torch"), ("no-deps", "1")], &[]).flags;
        assert_eq!(flags, ["--only-binary", "numpy", "--only-binary", "torch", "--no-deps"]);
    }

    #[test]
    fn own_variables_of_uv_take_precedence() {
        let options = [("index-url", "https://pip/simple"), ("trusted-host", "pip")];
        assert_eq!(variables(&options, &["UV_DEFAULT_INDEX"]), ["UV_INSECURE_HOST=pip"]);
    }

    #[test]
    fn options_that_uv_has_no_word_for() {
        for (option, value) in [
            ("prefer-binary", "1"),
            ("target", "/packages"),
            ("find-links", "/a,b"),
            ("timeout", "soon"),
            ("keyring-provider", "import"),
            ("no-build-isolation", "0"),
        ] {
            assert_eq!(for_uv(&[(option, value)], &[]).without_word, [option]);
        }
    }

    /// pip's own list, of which `pip install` takes these sections in this order.
    fn as_pip_lists(home: &Path, variables: &[(&str, String)]) -> TestResult<BTreeMap<String, String>> {
        let list = run(home, variables, &["-m", "pip", "config", "list"])?;
        let mut options = BTreeMap::new();
        for section in ["global.", "install.", ":env:."] {
            let entries = list.lines().filter_map(|line| line.strip_prefix(section)?.split_once('='));
            let plain = |value: &str| value.trim_matches('\'').replace("\\n", "\n");
            let entries = entries.map(|(name, value)| (name.to_owned(), plain(value)));
            // pip skips an empty value, which doesn't override another one.
            options.extend(entries.filter(|(_, value)| !value.is_empty()));
        }
        Ok(options)
    }

    fn run(home: &Path, variables: &[(&str, String)], arguments: &[&str]) -> TestResult<String> {
        let mut python = Command::new("python3");
        python.args(arguments).env("HOME", home).env("XDG_CONFIG_HOME", home.join("config"));
        python.env("XDG_CONFIG_DIRS", home.join("shared")).env_remove("PIP_CONFIG_FILE");
        let output = python.envs(variables.iter().map(|(name, value)| (name, value))).current_dir(home).output()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }

    #[test]
    fn options_are_those_that_pip_lists() -> TestResult {
        let home = tempfile::tempdir()?;
        for (file, text) in [
            ("shared/pip/pip.conf", "[global]\ntimeout = 1\nindex-url = https://shared/simple\n"),
            (".pip/pip.conf", "[global]\ntimeout = 2\n[install]\nno_binary = one\n[list]\nformat = columns\n"),
            (
                "config/pip/pip.conf",
                "[global]\nTimeout = 3\n--pre = yes\nretries =\n[install]\nfind-links =\n  /a\n  /b\n",
            ),
            ("own.conf", "[install]\ntimeout = 4\n"),
        ] {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().ok_or("no folder")?)?;
            std::fs::write(path, text)?;
        }
        let own = |file: &str| ("PIP_CONFIG_FILE", home.path().join(file).display().to_string());
        let trusted = ("PIP_TRUSTED_HOST", "a b".to_owned());
        for variables in [
            vec![],
            vec![trusted.clone(), ("PIP_TIMEOUT", "5".to_owned()), ("PIP_INDEX_URL", String::new())],
            vec![own("own.conf")],
            vec![own("none.conf"), trusted],
            vec![("PIP_CONFIG_FILE", "/dev/null".to_owned())],
        ] {
            let ours: PipConfiguration = serde_json::from_str(&run(home.path(), &variables, &["-I", "-c", PROGRAM])?)?;
            assert_eq!(ours.options, as_pip_lists(home.path(), &variables)?, "{variables:?}");
        }
        Ok(())
    }
}
