//! A dictionary of job specs, made of the table of keys, and mutations by it.

use std::sync::LazyLock;

use serde_json::Value;

use crate::job::VARIABLES;
use crate::job::schema::json_schema::schema;

/// Pieces of TOML.
const TOML: [&str; 30] = [
    "\n",
    "\r\n",
    "\r",
    "\t",
    "=",
    ".",
    ",",
    "[",
    "]",
    "{",
    "}",
    "[[",
    "]]",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\",
    "#",
    "\0",
    "\u{feff}",
    "\u{1b}[2J",
    "\u{9b}",
    "\u{202e}",
    "\u{e9}",
    "\u{1f600}",
    "1e400",
    "0x7fffffffffffffff",
    "2026-11-29T12:00:00Z",
    "nan",
];

/// Lines with each key of a spec and of settings, and pieces of TOML.
pub static SPEC: LazyLock<Vec<String>> = LazyLock::new(|| {
    let schema = schema();
    let mut words: Vec<String> = TOML.iter().map(ToString::to_string).collect();
    collect("", &schema, &schema, &mut words);
    words.push(format!("\"{}\"", "x".repeat(1200)));
    words.extend(VARIABLES.iter().map(|(_, key)| format!("{} = \"x\"\n", key.join("."))));
    words
});

/// The keys of the SageMaker SDK's settings that are read, and pieces of YAML.
pub static SDK_CONFIG: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = [
        "SchemaVersion: \"1.0\"\n",
        "SageMaker:\n  TrainingJob:\n",
        "  PythonSDK:\n    Modules:\n      Session:\n",
        "    RoleArn: arn:aws:iam::111122223333:role/R\n",
        "    EnableNetworkIsolation: true\n",
        "    EnableInterContainerTrafficEncryption: yes\n",
        "    VpcConfig:\n      Subnets: [subnet-1]\n",
        "      SecurityGroupIds: [sg-1]\n",
        "    OutputDataConfig:\n      KmsKeyId: k\n",
        "    ResourceConfig:\n      VolumeKmsKeyId: k\n",
        "    Environment:\n      A: b\n",
        "    Tags:\n    - {Key: a, Value: b}\n",
        "        DefaultS3Bucket: bucket-1\n",
        "        DefaultS3ObjectKeyPrefix: a/b\n",
        "<<: *a\n",
        "&a ",
        "*a",
        "- ",
        "? ",
        ": ",
        "|\n",
        ">-\n",
        "|2+\n",
        "!!binary ",
        "!!str ",
        "!a!b ",
        "%YAML 1.1\n---\n",
        "%TAG ! tag:a,2000:\n",
        "---\n",
        "...\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        "\"\\x1b\\u009b\"",
        "'",
        "#",
        "\t",
        "\r",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "~",
        "null",
        "0x1f",
        "{a: ",
        "[[[[",
    ];
    words.map(str::to_owned).to_vec()
});

/// The keys of AWS profiles that are read, and pieces of their syntax.
pub static PROFILE: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = [
        "[default]\n",
        "[profile a]\n",
        "[sso-session a]\n",
        "[services a]\n",
        "[profile \"a b\"]\n",
        "[ profile\ta ]",
        "[a]\n",
        "region = eu-west-1\n",
        "aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n",
        "aws_secret_access_key = a\n",
        "aws_session_token = a\n",
        "source_profile = a\n",
        "role_arn = arn:aws:iam::111122223333:role/R\n",
        "credential_source = Environment\n",
        "credential_process = a\n",
        "sso_session = a\n",
        "services = a\n",
        "s3 =\n  endpoint_url = a\n",
        "  ",
        "\t",
        "#",
        ";",
        " #",
        "=",
        "]",
        "[",
        "\r",
        "\n",
        "\0",
        "\u{feff}",
        "\u{a0}",
        "\u{85}",
        "\"",
    ];
    words.map(str::to_owned).to_vec()
});

/// Escape sequences and what else moves a cursor, and parts of tracebacks.
pub static LOG: LazyLock<Vec<String>> = LazyLock::new(|| {
    let words = [
        "\u{1b}[31m",
        "\u{1b}[0m",
        "\u{1b}[m",
        "\u{1b}[1;38;5;200m",
        "\u{1b}[38:2::1:2:3m",
        "\u{1b}[2J",
        "\u{1b}]0;a\u{7}",
        "\u{1b}]8;;a\u{1b}\\",
        "\u{1b}P",
        "\u{1b}c",
        "\u{1b}[?25l",
        "\u{1b}[>4m",
        "\u{1b}[4 m",
        "\u{1b}",
        "\u{9b}",
        "\u{9d}",
        "\u{7f}",
        "\u{85}",
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\u{feff}",
        "\u{e9}",
        "\u{1f600}",
        "\u{301}",
        "\r",
        "\n",
        "\r\n",
        "\t",
        "\0",
        "\u{8}",
        "\u{b}",
        "\u{c}",
        "Traceback (most recent call last):\n",
        "  File \"a.py\", line 1, in f\n",
        "ValueError: x",
        "%",
        "|",
    ];
    words.map(str::to_owned).to_vec()
});

/// Inserts a word at a place in the first `size` bytes, at the start of a line more often than not. Returns the new size;
/// `None` where it would not fit, or the seed says that libFuzzer is to choose its own mutation.
pub fn insert(words: &[String], data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    let seed = seed as usize;
    let word = words.get(seed / 3 % words.len())?.as_bytes();
    let end = size + word.len();
    if seed.is_multiple_of(3) || end > max_size.min(data.len()) {
        return None;
    }
    let random = (seed / 3 / words.len()).wrapping_mul(0x9e37_79b9) >> 7;
    let mut at = random % (size + 1);
    if !random.is_multiple_of(4) {
        at = memchr::memrchr(b'\n', &data[..at]).map_or(0, |newline| newline + 1);
    }
    data.copy_within(at..size, at + word.len());
    data[at..at + word.len()].copy_from_slice(word);
    Some(end)
}

/// Every key below `path`, dotted and in a table of its own, with values of its type.
fn collect(path: &str, of: &Value, schema: &Value, words: &mut Vec<String>) {
    for (name, property) in of["properties"].as_object().into_iter().flatten() {
        let dotted = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        for value in values(property, schema) {
            words.push(format!("{dotted} = {value}\n"));
            words.push(format!("{name} = {value}\n"));
        }
        if property.get("properties").is_some() {
            words.push(format!("[{dotted}]\n"));
        }
        let free = [&property["additionalProperties"], &property["additionalProperties"]["anyOf"][1]];
        if free.iter().any(|free| free.is_object()) {
            words.push(format!("[{dotted}.k]\n"));
            words.push(format!("{dotted}.k = \"s3://b/k\"\n"));
        }
        for below in [property, &property["items"], free[1]] {
            collect(
                &if std::ptr::eq(below, free[1]) { format!("{dotted}.k") } else { dotted.clone() },
                below,
                schema,
                words,
            );
        }
    }
}

fn values(property: &Value, schema: &Value) -> Vec<String> {
    let of = property["allOf"][0]["$ref"]
        .as_str()
        .and_then(|name| schema.pointer(name.trim_start_matches('#')))
        .unwrap_or(property);
    let words = [&of["enum"], &of["anyOf"][0]["enum"]].into_iter().flat_map(Value::as_array).flatten();
    let mut values: Vec<String> = words.take(8).map(ToString::to_string).collect();
    for limit in ["minimum", "maximum"] {
        values.extend(of.get(limit).map(ToString::to_string));
    }
    values.push(
        match of["type"].as_str() {
            Some("boolean") => "true",
            Some("integer") => "7",
            Some("array") if of["items"]["type"] == "object" => "[{ name = \"a\" }]",
            Some("array") => "[\"a\"]",
            Some("object") => "{ k = \"v\" }",
            _ => "\"1h\"",
        }
        .to_owned(),
    );
    values
}
