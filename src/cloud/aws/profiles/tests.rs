//! Profiles as they are given to the SDK, whose own parser must read the same values.

use std::path::Path;

use aws_config::profile::{self, ProfileSet};
use proptest::prelude::*;

use super::set::Profiles;
use super::{for_sdk, parser};

/// Parts of files of profiles, from which odd ones are made.
const PARTS: [&str; 30] = [
    "[default]",
    "[profile x]",
    "[profile \"my team\"]",
    "[sso-session s]",
    "[services s]",
    "[DEFAULT]",
    "[",
    "]",
    "\n",
    "\n",
    "\n",
    "\r",
    "\n  ",
    "\n\t",
    " ",
    "\u{a0}",
    "=",
    " = ",
    ":",
    "#",
    " ; ",
    "region",
    "s3",
    "a",
    "\u{e9}",
    "%",
    "\"",
    "\\",
    "\0",
    "source_profile = my team",
];

fn profiles(text: &str) -> Option<Profiles> {
    let mut profiles = Profiles::default();
    profiles.add_file(Path::new("config"), true, parser::parse(text).ok()?);
    Some(profiles)
}

#[expect(clippy::default_trait_access, reason = "the types of the SDK's files and environment aren't re-exported")]
fn by_sdk(profiles: &Profiles) -> ProfileSet {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let files = profiles.for_sdk();
    let loaded = runtime.block_on(profile::load(&Default::default(), &Default::default(), &files, None));
    loaded.unwrap_or_else(|error| panic!("{error:?} in\n{}", for_sdk::text(profiles)))
}

proptest! {
    #[test]
    fn the_sdk_reads_what_it_is_given(parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..40)) {
        let Some(profiles) = profiles(&parts.concat()) else { return Ok(()) };
        let sdk = by_sdk(&profiles);
        for name in profiles.profiles.keys() {
            let Some(profile) = sdk.get_profile(&for_sdk::encoded(name)) else { continue };
            for key in ["region", "a", "source_profile"] {
                let own = profiles.get(name, key);
                let own = if key == "source_profile" { own.map(for_sdk::encoded) } else { own.map(str::to_owned) };
                let other = profile.get(key).filter(|value| !value.contains('\n'));
                prop_assert_eq!(own.as_deref(), other, "{} of {}", key, name);
            }
        }
    }
}

#[test]
fn names_that_the_sdk_drops_are_encoded() {
    let text = "[profile \"my team\"]\nregion = a\n[profile b%c]\nsource_profile = my team\n";
    let sdk = by_sdk(&profiles(text).expect("a file"));
    let get =
        |profile: &str, key: &str| sdk.get_profile(profile).and_then(|profile| profile.get(key)).map(str::to_owned);
    assert_eq!(get("my%20team", "region").as_deref(), Some("a"));
    assert_eq!(get("b%25c", "source_profile").as_deref(), Some("my%20team"));
}
