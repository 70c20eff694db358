//! The words that files are searched for: names of secrets, prefixes of tokens, and marks of keys.

use super::logins::{CALLS, COMMANDS, POSTGRESQL_PORT};
use crate::model::secrets::tokens::{FORMS, TokenForm};

/// A word, by the rule that judges the text around it.
#[derive(Debug)]
pub(super) enum Word {
    /// The prefix of a token.
    Token(&'static TokenForm),
    /// Part of a name whose value may be a secret.
    Name(&'static str),
    /// The start of an AWS access key's id, near which its secret is expected.
    AccessKeyId(&'static str),
    /// The header of a private key in PEM, and the same in base64, as in a kubeconfig.
    PrivateKey(&'static str),
    EncodedPem(&'static str),
    /// The start of a URL, which may have a password in it.
    Url(&'static str),
    Wandb(&'static str),
    /// The start of Kaggle's JSON: `{"username": .., "key": ..}`.
    Username(&'static str),
    /// The middle of a client secret of Microsoft Entra.
    EntraSecret(&'static str),
    /// The middle of a Telegram bot's token.
    TelegramToken(&'static str),
    /// The parameter of a URL that signs it, with Azure's shared access signatures.
    SasSignature(&'static str),
    /// The command, whose options may have a user and a password.
    Curl(&'static str),
    /// A command with an option for a password.
    Command(&'static str),
    /// The start of arguments that are a user and a password.
    Call(&'static str),
    /// The middle of a line of `.pgpass`.
    PostgresqlPort(&'static str),
}

impl Word {
    pub(super) fn text(&self) -> &'static str {
        match self {
            Self::Token(form) => form.prefix,
            Self::Name(text)
            | Self::AccessKeyId(text)
            | Self::PrivateKey(text)
            | Self::EncodedPem(text)
            | Self::Url(text)
            | Self::Wandb(text)
            | Self::Username(text)
            | Self::EntraSecret(text)
            | Self::TelegramToken(text)
            | Self::SasSignature(text)
            | Self::Curl(text)
            | Self::Command(text)
            | Self::Call(text)
            | Self::PostgresqlPort(text) => text,
        }
    }
}

/// Parts of names; [`content`](super::content) decides by the whole name.
const NAMES: [&str; 36] = [
    "secret",
    "token",
    "passw",
    "passphrase",
    "_pass",
    "pass =",
    "pass:",
    "pass=",
    "pass_",
    "pass\"",
    "pass'",
    "pwd",
    "_pw",
    "-pw",
    "pw =",
    "pw=",
    "pw: ",
    "pw\":",
    "pw':",
    "pw\"]",
    "pw']",
    "mdp",
    "kennwort",
    "contrasena",
    "senha",
    "wachtwoord",
    "auth",
    "bearer",
    "credential",
    "_key",
    "-key",
    "apikey",
    "accountkey",
    "storagekey",
    "accesskey",
    "privatekey",
];

/// Returns all words.
pub(super) fn words() -> Vec<Word> {
    let mut words: Vec<Word> = FORMS.iter().map(Word::Token).collect();
    words.extend(NAMES.iter().copied().map(Word::Name));
    // IAM user guide, "Unique identifiers": keys of users, of sessions, of bearers and of contexts.
    words.extend(["AKIA", "ASIA", "ABIA", "ACCA"].map(Word::AccessKeyId));
    words.push(Word::PrivateKey("PRIVATE KEY"));
    words.push(Word::EncodedPem("LS0tLS1CRUdJTi"));
    words.push(Word::Url("://"));
    words.push(Word::Wandb("wandb"));
    words.push(Word::Username("\"username"));
    words.extend(["7Q~", "8Q~"].map(Word::EntraSecret));
    words.push(Word::TelegramToken(":AA"));
    words.push(Word::SasSignature("sig="));
    words.push(Word::Curl("curl"));
    words.extend(COMMANDS.map(Word::Command));
    words.extend(CALLS.map(Word::Call));
    words.push(Word::PostgresqlPort(POSTGRESQL_PORT));
    words
}
