//! The API's limits: the longest and the most pass, one more doesn't.

use super::{BASE, Project, TestResult};

/// `k000 = VALUE`, `count` times.
fn entries(count: usize, value: &str) -> String {
    (0..count).fold(String::new(), |text, n| text + &format!("k{n:03} = {value}\n"))
}

/// `["a", "a"]`.
fn list(count: usize, item: &str) -> String {
    format!("[{}]", vec![format!("{item:?}"); count].join(", "))
}

fn text(length: usize) -> String {
    format!("{:?}", "x".repeat(length))
}

#[test]
fn one_more_than_allowed_is_refused() -> TestResult {
    let project = Project::new()?;
    let metric = |length: usize| format!("k = '({})'", "x".repeat(length - 2));
    let network = |subnets, groups| {
        format!("subnets = {}\nsecurity_group_ids = {}", list(subnets, "subnet-1"), list(groups, "sg-1"))
    };
    for (section, most, more, problem) in [
        (
            "hyperparameters",
            entries(95, "1"),
            entries(96, "1"),
            "96 hyperparameters are too many: at most 95 are allowed",
        ),
        (
            "hyperparameters",
            entries(1, &text(2498)),
            entries(1, &text(2499)),
            "this value is sent as 2501 characters, and at most 2500 are allowed",
        ),
        (
            "environment",
            entries(100, "1"),
            entries(101, "1"),
            "[environment] has 101 entries, and at most 100 are allowed",
        ),
        (
            "environment",
            entries(1, &text(512)),
            entries(1, &text(513)),
            "the value has 513 characters, and at most 512 are allowed",
        ),
        ("tags", entries(50, "1"), entries(51, "1"), "[tags] has 51 entries, and at most 50 are allowed"),
        (
            "tags",
            entries(1, &text(256)),
            entries(1, &text(257)),
            "the tag's value has 257 characters, and at most 256 are allowed",
        ),
        ("metrics", entries(40, "'(.)'"), entries(41, "'(.)'"), "[metrics] has 41 entries, and at most 40 are allowed"),
        ("metrics", metric(500), metric(501), "the expression has 501 characters, and at most 500 are allowed"),
        (
            "channels",
            entries(20, "'data'"),
            entries(21, "'data'"),
            "[channels] has 21 channels, and at most 20 are allowed",
        ),
        ("network", network(16, 5), network(17, 5), "`subnets` has 17 entries, and at most 16 are allowed"),
        ("network", network(16, 5), network(16, 6), "`security_group_ids` has 6 entries, and at most 5 are allowed"),
        (
            "limits",
            "max_pending = 1800".to_owned(),
            "max_pending = 1799".to_owned(),
            "`max_pending` is out of range: it should be 30m to 672h",
        ),
        (
            "limits",
            "max_pending = 2419200".to_owned(),
            "max_pending = 2419201".to_owned(),
            "`max_pending` is out of range: it should be 30m to 672h",
        ),
        (
            "limits",
            "max_retry_attempts = 30".to_owned(),
            "max_retry_attempts = 0".to_owned(),
            "`max_retry_attempts` is out of range: it should be 1 to 30",
        ),
    ] {
        // `max_pending` is for types with GPUs.
        let spec = |body: &str| format!("{BASE}[{section}]\n{body}\n").replace("ml.m5.xlarge", "ml.g5.xlarge");
        assert_eq!(project.problems(spec(&most), &[])?, Vec::<String>::new(), "{section}");
        let problems = project.problems(spec(&more), &[])?;
        assert!(matches!(problems.as_slice(), [only] if only.contains(problem)), "{problem}: {problems:?}");
    }
    Ok(())
}

#[test]
fn a_container_has_a_hundred_arguments_at_most() -> TestResult {
    let project = Project::new()?;
    let spec = |arguments: String| {
        format!("[container]\nimage = \"x\"\narguments = {arguments}\n[resources]\ninstance_type = \"ml.m5.xlarge\"")
    };
    for (arguments, problem) in [
        (list(100, &"x".repeat(256)), None),
        (list(101, "x"), Some("3:13 `arguments` has 101 entries, and at most 100 are allowed")),
        (
            list(1, &"x".repeat(257)),
            Some("3:14 `arguments` has an entry that has 257 characters, and at most 256 are allowed"),
        ),
    ] {
        assert_eq!(project.problems(spec(arguments), &[])?.first().map(String::as_str), problem);
    }
    Ok(())
}

/// Without [source], values are sent as they are: no quotes are added.
#[test]
fn a_hyperparameter_of_an_algorithm_may_be_two_characters_longer() -> TestResult {
    let resources = "[resources]\ninstance_type = \"ml.m5.xlarge\"";
    let spec = |length| {
        format!("[algorithm]\nname = \"kmeans\"\n{resources}\n[hyperparameters]\n{}", entries(100, &text(length)))
    };
    let project = Project::new()?;
    assert_eq!(project.problems(spec(2500), &[])?, Vec::<String>::new());
    assert_eq!(project.problems(spec(2501), &[])?.len(), 100);
    Ok(())
}

/// The code and its driver come in channels of their own, of which the API takes 20 in all.
#[test]
fn an_own_image_with_code_has_room_for_fewer_channels() -> TestResult {
    let project = Project::new()?;
    let spec = |channels: &str| {
        let container = "[container]\nimage = \"x\"\n[source]\nentry_point = \"train.py\"\n";
        format!("{container}[resources]\ninstance_type = \"ml.m5.xlarge\"\n[channels]\n{channels}")
    };
    assert_eq!(project.problems(spec(&entries(18, "'data'")), &[])?, Vec::<String>::new());
    let problems = project.problems(spec(&entries(19, "'data'")), &[])?;
    assert_eq!(problems.len(), 1);
    assert!(
        problems[0].contains("[channels] has 19 channels, and the code of this job leaves room for 18"),
        "{problems:?}"
    );
    let problems = project.problems(spec("sm_drivers = 'data'"), &[])?;
    assert!(problems.iter().any(|it| it.contains("comes in a channel `sm_drivers`")), "{problems:?}");
    Ok(())
}
