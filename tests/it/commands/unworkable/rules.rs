//! Rules of the service.

use super::{script, validated};
use crate::support::TestResult;

#[test]
#[expect(clippy::too_many_lines, reason = "it is one long snapshot")]
fn rules_of_the_service() -> TestResult {
    let algorithm = |sections: &str| {
        format!("[algorithm]\nname = 'kmeans'\n[resources]\ninstance_type = 'ml.m5.large'\n{sections}")
    };
    let debug = "[remote_debug]\nenabled = true\n";
    let metrics = "[metrics]\nloss = 'loss=(.)'\n";
    let isolation = "[network]\nisolation = true\n";
    let preferring = |preferences: &str, more: &str| {
        let preferences = format!("instance_preferences = [{preferences}]\n{more}");
        script("").replace("instance_type = 'ml.m5.large'\n", &preferences)
    };
    let plan = "training_plan_arn = 'arn:aws:sagemaker:eu-west-1:111122223333:training-plan/plan'";
    let twice = "{type = 'ml.p5.48xlarge'}, {type = 'ml.p5.48xlarge'}";
    let rule = "{name = 'a', image = 'rules:1'}";
    let said = validated(&[
        ("a limit of pending on CPUs", script("[limits]\nmax_pending = '1h'\n")),
        ("a limit of pending on GPUs", script("[limits]\nmax_pending = '1h'\n").replace("m5.large", "g5.xlarge")),
        ("remote debugging of a built-in algorithm", algorithm(debug)),
        ("remote debugging without network", script(&format!("{debug}{isolation}"))),
        ("metrics of a built-in algorithm", algorithm(metrics)),
        ("preferring one type twice", preferring(twice, "")),
        ("preferences and a placement", preferring("{type = 'ml.p5.48xlarge'}", "instance_placement = {}\n")),
        (
            "plans of a preference and of all",
            preferring(&format!("{{type = 'ml.p5.48xlarge', {plan}}}"), &format!("{plan}\n")),
        ),
        ("rules of one name", script(&format!("[debugger]\nrules = [{rule}, {rule}]\n"))),
        ("rules of a profiler that is off", script(&format!("[profiler]\nenabled = false\nrules = [{rule}]\n"))),
        ("checkpoints that go nowhere", script("[checkpoints]\nlocal_path = '/opt/ml/mine'\n")),
    ])?;
    insta::assert_snapshot!(said, @r#"
    ## a limit of pending on CPUs
    exit code: 0
    --- stderr
    warning: `max_pending` has no effect on `ml.m5.large`
      --> proj/job.toml:11:15
       |
    11 | max_pending = '1h'
       |               ^^^^
       |
       = hint: leave it out: the service takes it for types with accelerators only, of ml.p, ml.g and ml.trn
    proj/job.toml: valid
    ## a limit of pending on GPUs
    exit code: 0
    --- stderr
    proj/job.toml: valid
    ## remote debugging of a built-in algorithm
    exit code: 2
    --- stderr
    error: remote debugging can't be used with a built-in algorithm
     --> proj/job.toml:6:11
      |
    6 | enabled = true
      |           ^^^^
      |
      = hint: leave [remote_debug] out
    proj/job.toml: 1 error
    ## remote debugging without network
    exit code: 2
    --- stderr
    error: remote debugging can't be used with network isolation, which cuts its connection off
      --> proj/job.toml:11:11
       |
    11 | enabled = true
       |           ^^^^
       |
       = hint: leave one of them out
    proj/job.toml: 1 error
    ## metrics of a built-in algorithm
    exit code: 2
    --- stderr
    error: [metrics] can't be used with a built-in algorithm, which has its own
     --> proj/job.toml:5:1
      |
    5 | [metrics]
      | ^^^^^^^^^
      |
      = hint: leave it out: `smtrain describe` shows the algorithm's metrics
    proj/job.toml: 1 error
    ## preferring one type twice
    exit code: 2
    --- stderr
    error: `ml.p5.48xlarge` is preferred twice
     --> proj/job.toml:7:24
      |
    7 | instance_preferences = [{type = 'ml.p5.48xlarge'}, {type = 'ml.p5.48xlarge'}]
      |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: name each instance type once
    proj/job.toml: 1 error
    ## preferences and a placement
    exit code: 2
    --- stderr
    error: `instance_placement` can't be used with `instance_preferences`
     --> proj/job.toml:8:22
      |
    8 | instance_placement = {}
      |                      ^^
      |
      = hint: leave one of them out
    proj/job.toml: 1 error
    ## plans of a preference and of all
    exit code: 2
    --- stderr
    error: `training_plan_arn` can't be used beside preferences that have one
     --> proj/job.toml:8:21
      |
    8 | training_plan_arn = 'arn:aws:sagemaker:eu-west-1:111122223333:training-plan/plan'
      |                     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: leave one of them out
    proj/job.toml: 1 error
    ## rules of one name
    exit code: 2
    --- stderr
    error: [debugger] has two rules named `a`
      --> proj/job.toml:11:9
       |
    11 | rules = [{name = 'a', image = 'rules:1'}, {name = 'a', image = 'rules:1'}]
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: give each rule its own name
    proj/job.toml: 1 error
    ## rules of a profiler that is off
    exit code: 2
    --- stderr
    error: [profiler] has rules, and is switched off
      --> proj/job.toml:12:9
       |
    12 | rules = [{name = 'a', image = 'rules:1'}]
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = hint: leave the rules out, or `enabled = false`
    proj/job.toml: 1 error
    ## checkpoints that go nowhere
    exit code: 0
    --- stderr
    warning: [checkpoints] has no `s3_uri`, and no checkpoint is stored
      --> proj/job.toml:10:1
       |
    10 | [checkpoints]
       | ^^^^^^^^^^^^^
       |
       = hint: add s3_uri = "s3://BUCKET/PREFIX"; only a spot job has a default
    proj/job.toml: valid
    "#);
    Ok(())
}
