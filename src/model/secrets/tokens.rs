//! Recognizes tokens by their form: a service's prefix, then characters of one alphabet.
//!
//! This is the only table of such forms, for a spec's values and for the files of code and data.
//! The forms are facts, from the services' own pages (GitHub's "token formats", GitLab's "token overview", Stripe's and
//! Slack's "authentication") and from the rules of gitleaks 8 and detect-secrets 1.5.

/// Alphabets of the bodies of tokens.
#[derive(Clone, Copy, Debug)]
enum Alphabet {
    /// `0-9a-f`.
    Hex,
    /// `A-Za-z0-9`.
    Alphanumeric,
    /// `A-Za-z0-9_`.
    Word,
    /// `A-Za-z0-9_-`.
    Url,
    /// `A-Za-z0-9_-` and dots.
    Dotted,
    /// `A-Za-z0-9_-` and slashes.
    Path,
    /// `A-Za-z0-9+/` and `=`.
    Base64,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        let more: &[u8] = match self {
            Self::Hex => return byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Alphanumeric => b"",
            Self::Word => b"_",
            Self::Url => b"_-",
            Self::Dotted => b"_-.",
            Self::Path => b"_-/",
            Self::Base64 => b"+/=",
        };
        byte.is_ascii_alphanumeric() || more.contains(&byte)
    }
}

/// The form of a service's tokens. `least` and `most` are lengths in bytes, without prefix and trailing padding.
#[derive(Debug)]
pub(crate) struct TokenForm {
    pub(crate) prefix: &'static str,
    alphabet: Alphabet,
    least: usize,
    most: usize,
    /// A noun with its article: `a GitHub token`.
    pub(crate) kind: &'static str,
}

use Alphabet::{Alphanumeric, Base64, Dotted, Hex, Path, Url, Word};

const fn form(prefix: &'static str, alphabet: Alphabet, least: usize, most: usize, kind: &'static str) -> TokenForm {
    TokenForm { prefix, alphabet, least, most, kind }
}

const GITHUB: &str = "a GitHub token";
const GITLAB: &str = "a GitLab token";
const SLACK: &str = "a Slack token";
const STRIPE: &str = "a Stripe key";
const GOOGLE: &str = "a Google credential";
const AZURE: &str = "an Azure storage or bus key";
const DIGITAL_OCEAN: &str = "a DigitalOcean token";
const SHOPIFY: &str = "a Shopify token";
const VAULT: &str = "a Vault token";
const GRAFANA: &str = "a Grafana token";
const SENTRY: &str = "a Sentry token";
const ARTIFACTORY: &str = "an Artifactory token";
const PLANET_SCALE: &str = "a PlanetScale credential";
const DISCORD: &str = "the URL of a Discord webhook";
const DOPPLER: &str = "a Doppler token";
const FLY: &str = "a Fly.io token";
const BEDROCK: &str = "an Amazon Bedrock API key";

/// All forms. If two prefixes match, the first in the table counts.
pub(crate) const FORMS: &[TokenForm] = &[
    form("ghp_", Alphanumeric, 30, 255, GITHUB),
    form("gho_", Alphanumeric, 30, 255, GITHUB),
    form("ghu_", Alphanumeric, 30, 255, GITHUB),
    form("ghs_", Alphanumeric, 30, 255, GITHUB),
    form("ghr_", Alphanumeric, 30, 255, GITHUB),
    form("github_pat_", Word, 30, 255, GITHUB),
    form("glpat-", Dotted, 20, 320, GITLAB),
    form("gldt-", Url, 20, 320, GITLAB),
    form("glrt-", Dotted, 20, 320, GITLAB),
    form("glcbt-", Url, 20, 320, GITLAB),
    form("glptt-", Hex, 40, 40, GITLAB),
    form("gloas-", Url, 64, 64, GITLAB),
    form("glsoat-", Url, 20, 320, GITLAB),
    form("glagent-", Url, 50, 320, GITLAB),
    form("glft-", Url, 20, 320, GITLAB),
    form("glimt-", Url, 24, 320, GITLAB),
    form("glffct-", Url, 20, 320, GITLAB),
    form("GR1348941", Url, 19, 20, GITLAB),
    form("hf_", Alphanumeric, 30, 64, "a Hugging Face token"),
    form("api_org_", Alphanumeric, 30, 64, "a Hugging Face token"),
    form("xoxa-", Url, 10, 320, SLACK),
    form("xoxb-", Url, 10, 320, SLACK),
    form("xoxp-", Url, 10, 320, SLACK),
    form("xoxr-", Url, 10, 320, SLACK),
    form("xoxs-", Url, 10, 320, SLACK),
    form("xoxe-", Url, 10, 320, SLACK),
    form("xapp-", Url, 20, 320, SLACK),
    form("hooks.slack.com/services/", Base64, 40, 64, "the URL of a Slack webhook"),
    form("hooks.slack.com/workflows/", Base64, 40, 80, "the URL of a Slack webhook"),
    form("hooks.slack.com/triggers/", Path, 40, 80, "the URL of a Slack webhook"),
    form("discord.com/api/webhooks/", Path, 77, 90, DISCORD),
    form("discordapp.com/api/webhooks/", Path, 77, 90, DISCORD),
    form("IncomingWebhook/", Hex, 32, 32, "the URL of a Teams webhook"),
    form("sk_live_", Alphanumeric, 16, 255, STRIPE),
    form("rk_live_", Alphanumeric, 16, 255, STRIPE),
    form("sk_test_", Alphanumeric, 16, 255, STRIPE),
    form("rk_test_", Alphanumeric, 16, 255, STRIPE),
    form("sk_prod_", Alphanumeric, 16, 255, STRIPE),
    form("rk_prod_", Alphanumeric, 16, 255, STRIPE),
    form("sk_", Hex, 48, 48, "an ElevenLabs key"),
    form("whsec_", Base64, 24, 80, STRIPE),
    form("sk-ant-", Url, 20, 250, "an Anthropic key"),
    form("sk-", Url, 20, 250, "a key of OpenAI's form"),
    form("npm_", Alphanumeric, 36, 36, "an npm token"),
    form("pypi-Ag", Url, 40, 1000, "a PyPI token"),
    form("wandb_v1_", Word, 60, 120, "a Weights & Biases key"),
    form("AIza", Url, 35, 35, "a Google API key"),
    form("ya29.", Dotted, 30, 2000, GOOGLE),
    form("GOCSPX-", Url, 24, 40, GOOGLE),
    form("1//0", Url, 40, 160, GOOGLE),
    form("AccountKey=", Base64, 86, 86, AZURE),
    form("SharedAccessKey=", Base64, 43, 43, AZURE),
    form("dapi", Hex, 32, 32, "a Databricks token"),
    form("dop_v1_", Hex, 64, 64, DIGITAL_OCEAN),
    form("doo_v1_", Hex, 64, 64, DIGITAL_OCEAN),
    form("dor_v1_", Hex, 64, 64, DIGITAL_OCEAN),
    form("SG.", Dotted, 66, 66, "a SendGrid key"),
    form("key-", Hex, 32, 32, "a Mailgun key"),
    form("xkeysib-", Url, 80, 82, "a Brevo key"),
    form("shpat_", Hex, 32, 32, SHOPIFY),
    form("shpca_", Hex, 32, 32, SHOPIFY),
    form("shppa_", Hex, 32, 32, SHOPIFY),
    form("shpss_", Hex, 32, 32, SHOPIFY),
    form("sq0atp-", Url, 22, 60, "a Square token"),
    form("sq0csp-", Url, 22, 60, "a Square token"),
    form("ntn_", Alphanumeric, 40, 60, "a Notion token"),
    form("lin_api_", Alphanumeric, 40, 40, "a Linear key"),
    form("ATATT3", Url, 100, 300, "an Atlassian token"),
    form("ATCTT3", Url, 100, 300, "an Atlassian token"),
    form("ATBB", Alphanumeric, 32, 32, "a Bitbucket password"),
    form("atlasv1.", Url, 59, 70, "a Terraform token"),
    form("sha256~", Url, 42, 43, "an OpenShift token"),
    form("CCIPAT_", Word, 63, 63, "a CircleCI token"),
    form("bkua_", Hex, 40, 40, "a Buildkite token"),
    form("sgp_", Word, 40, 60, "a Sourcegraph token"),
    form("nfp_", Alphanumeric, 36, 36, "a Netlify token"),
    form("pat-na1-", Url, 36, 36, "a HubSpot token"),
    form("pat-eu1-", Url, 36, 36, "a HubSpot token"),
    form("v1.0-", Url, 171, 171, "a Cloudflare key"),
    form("rdme_", Alphanumeric, 70, 70, "a ReadMe key"),
    form("shippo_live_", Hex, 40, 40, "a Shippo key"),
    form("phx_", Word, 40, 60, "a PostHog key"),
    form("CLOJARS_", Alphanumeric, 60, 60, "a Clojars token"),
    form("PMAK-", Url, 59, 59, "a Postman key"),
    form("glsa_", Word, 41, 41, GRAFANA),
    form("glc_", Base64, 32, 400, GRAFANA),
    form("eyJrIjoi", Alphanumeric, 70, 400, GRAFANA),
    form("sntryu_", Hex, 64, 64, SENTRY),
    form("sntrys_", Base64, 60, 500, SENTRY),
    form("dp.pt.", Alphanumeric, 40, 48, DOPPLER),
    form("dp.st.", Dotted, 40, 84, DOPPLER),
    form("dp.ct.", Alphanumeric, 40, 44, DOPPLER),
    form("dp.sa.", Alphanumeric, 40, 44, DOPPLER),
    form("dt0c01.", Dotted, 80, 100, "a Dynatrace token"),
    form("hvs.", Url, 24, 320, VAULT),
    form("hvb.", Url, 100, 400, VAULT),
    form("NRAK-", Alphanumeric, 27, 27, "a New Relic key"),
    form("pul-", Hex, 40, 40, "a Pulumi token"),
    form("rubygems_", Hex, 48, 48, "a RubyGems key"),
    form("dckr_pat_", Url, 24, 60, "a Docker Hub token"),
    form("dckr_oat_", Url, 24, 60, "a Docker Hub token"),
    form("pplx-", Alphanumeric, 40, 64, "a Perplexity key"),
    form("gsk_", Alphanumeric, 40, 64, "a Groq key"),
    form("xai-", Alphanumeric, 60, 100, "an xAI key"),
    form("r8_", Alphanumeric, 37, 37, "a Replicate token"),
    form("nvapi-", Url, 50, 100, "an NVIDIA key"),
    form("lsv2_pt_", Word, 32, 60, "a LangSmith key"),
    form("lsv2_sk_", Word, 32, 60, "a LangSmith key"),
    form("pcsk_", Word, 68, 70, "a Pinecone key"),
    form("tgp_v1_", Url, 42, 43, "a Together key"),
    form("csk-", Alphanumeric, 48, 48, "a Cerebras key"),
    form("rpa_", Alphanumeric, 46, 46, "a RunPod key"),
    form("tvly-", Url, 30, 60, "a Tavily key"),
    form("KGAT_", Alphanumeric, 32, 64, "a Kaggle token"),
    form("pnu_", Alphanumeric, 36, 36, "a Prefect key"),
    form("figd_", Url, 36, 60, "a Figma token"),
    form("sbp_", Hex, 40, 40, "a Supabase token"),
    form("sb_secret_", Url, 28, 60, "a Supabase key"),
    form("pscale_tkn_", Dotted, 32, 64, PLANET_SCALE),
    form("pscale_oauth_", Dotted, 32, 64, PLANET_SCALE),
    form("pscale_pw_", Dotted, 32, 64, PLANET_SCALE),
    form("tskey-auth-", Url, 24, 80, "a Tailscale key"),
    form("tskey-api-", Url, 24, 80, "a Tailscale key"),
    form("fo1_", Url, 42, 43, FLY),
    form("fm1a_", Base64, 100, 4000, FLY),
    form("fm1r_", Base64, 100, 4000, FLY),
    form("fm2_", Base64, 100, 4000, FLY),
    form("AGE-SECRET-KEY-1", Alphanumeric, 58, 58, "a private key of age"),
    form("HRKU-AA", Url, 58, 58, "a Heroku key"),
    form("ops_eyJ", Base64, 200, 2000, "a 1Password token"),
    form("AKCp", Alphanumeric, 69, 69, ARTIFACTORY),
    form("cmVmd", Alphanumeric, 59, 59, ARTIFACTORY),
    form("ABSK", Base64, 100, 300, BEDROCK),
    form("bedrock-api-key-", Base64, 40, 4000, BEDROCK),
];

/// A token in a text.
#[derive(Debug)]
pub(crate) struct SecretToken<'a> {
    /// The characters after the prefix.
    pub(crate) body: &'a [u8],
    pub(crate) kind: &'static str,
}

impl TokenForm {
    /// Returns the token of this form whose prefix begins at `start`.
    pub(crate) fn at<'a>(&self, text: &'a [u8], start: usize) -> Option<SecretToken<'a>> {
        let rest = text.get(start..)?.strip_prefix(self.prefix.as_bytes())?;
        if !is_start(text.get(..start)?) {
            return None;
        }
        let length = rest.iter().take_while(|byte| self.alphabet.has(**byte)).count();
        let body = without_padding(rest.get(..length)?);
        (self.least..=self.most).contains(&body.len()).then_some(SecretToken { body, kind: self.kind })
    }
}

/// Returns the first token of a known form in a text.
pub(crate) fn find(text: &[u8]) -> Option<SecretToken<'_>> {
    FORMS.iter().find_map(|form| {
        let starts = memchr::memmem::find_iter(text, form.prefix);
        starts.into_iter().find_map(|start| form.at(text, start))
    })
}

/// Returns whether a token may begin after `before`, at the beginning of a word. Letters and digits of an escape (`\n`,
/// `%3D`) don't count.
fn is_start(before: &[u8]) -> bool {
    match before {
        [.., b'\\', b'n' | b'r' | b't'] | [.., b'%', _, _] | [] => true,
        [.., last] => !last.is_ascii_alphanumeric(),
    }
}

/// Removes padding and punctuation at the end.
fn without_padding(body: &[u8]) -> &[u8] {
    let end = body.iter().rposition(|byte| !b"=._-".contains(byte)).map_or(0, |last| last + 1);
    body.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_a_prefix_and_a_body_of_its_length() {
        let body = "a1B2c3D4e5".repeat(4);
        let is_token = |text: String| find(text.as_bytes()).is_some();
        assert!(is_token(format!("ghp_{}", &body[..36])));
        assert!(is_token(format!("x = \"ghp_{}\"", &body[..36])));
        assert!(is_token(format!("first line\\nghp_{}", &body[..36])), "after an escaped line feed");
        assert!(is_token(format!("?token%3Dghp_{}", &body[..36])), "in a URL");
        assert!(!is_token(format!("xghp_{}", &body[..36])), "in a word");
        assert!(!is_token(format!("npm_{}", &body[..35])), "too short");
        assert!(!is_token(format!("npm_{}", &body[..37])), "too long");
        assert!(!is_token("sk-learn".to_owned()));
    }

    #[test]
    fn no_form_hides_another() {
        for (index, form) in FORMS.iter().enumerate() {
            let hidden = FORMS[..index].iter().find(|first| form.prefix.starts_with(first.prefix));
            assert!(hidden.is_none(), "{} is never reached after {hidden:?}", form.prefix);
            assert!(form.least <= form.most, "{form:?}");
        }
    }
}
