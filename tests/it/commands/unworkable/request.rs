//! Fields of `[request]` that CreateTrainingJob doesn't take.

use super::{script, validated};
use crate::support::TestResult;

/// A `[request]` that CreateTrainingJob does not take is refused by `validate` too, at its place.
#[test]
#[expect(clippy::too_many_lines, reason = "one snapshot of all fields")]
fn fields_that_do_not_fit_the_api_are_named_with_their_places() -> TestResult {
    let cases = [
        "ResourceConfig = { InstanceCount = \"2\" }",
        "ResourceConfig = { VolumeSizeInGB = 3_000_000_000 }",
        "Environment = { A = [1] }\nEnableNetworkIsolation = 'true'",
        "TrainingJobName = 'no name!'",
        "Tags = [{ Key = 'a' }]",
        "StoppingCondition = 5\nInputDataConfig = { ChannelName = 'x' }",
        "VpcConfig.Subnets = ['subnet-11111111']",
        "RetryStrategy = {}",
    ];
    let specs: Vec<(&str, String)> =
        cases.iter().map(|fields| (*fields, script(&format!("[request]\n{fields}\n")))).collect();
    insta::assert_snapshot!(validated(&specs)?, @r#"
    ## ResourceConfig = { InstanceCount = "2" }
    exit code: 2
    --- stderr
    error: `request.ResourceConfig.InstanceCount` is a string, and should be an integer
      --> proj/job.toml:11:36
       |
    11 | ResourceConfig = { InstanceCount = "2" }
       |                                    ^^^ expected an integer
       |
       = hint: write 2 without quotes
    proj/job.toml: 1 error
    ## ResourceConfig = { VolumeSizeInGB = 3_000_000_000 }
    exit code: 2
    --- stderr
    error: `request.ResourceConfig.VolumeSizeInGB` may be at most 2147483647, not 3000000000
      --> proj/job.toml:11:37
       |
    11 | ResourceConfig = { VolumeSizeInGB = 3_000_000_000 }
       |                                     ^^^^^^^^^^^^^
    proj/job.toml: 1 error
    ## Environment = { A = [1] }
    EnableNetworkIsolation = 'true'
    exit code: 2
    --- stderr
    error: `request.Environment.A` is an array, and should be a string
      --> proj/job.toml:11:21
       |
    11 | Environment = { A = [1] }
       |                     ^^^ expected a string
    error: `request.EnableNetworkIsolation` is a string, and should be a boolean
      --> proj/job.toml:12:26
       |
    12 | EnableNetworkIsolation = 'true'
       |                          ^^^^^^ expected a boolean
       |
       = hint: write true without quotes
    proj/job.toml: 2 errors
    ## TrainingJobName = 'no name!'
    exit code: 2
    --- stderr
    error: `request.TrainingJobName` is no name of a job: a name has only letters, digits and hyphens, not ' '
      --> proj/job.toml:11:19
       |
    11 | TrainingJobName = 'no name!'
       |                   ^^^^^^^^^^
    proj/job.toml: 1 error
    ## Tags = [{ Key = 'a' }]
    exit code: 2
    --- stderr
    error: `request.Tags[0]` lacks `Value`, which CreateTrainingJob requires
      --> proj/job.toml:11:9
       |
    11 | Tags = [{ Key = 'a' }]
       |         ^^^^^^^^^^^^^
    proj/job.toml: 1 error
    ## StoppingCondition = 5
    InputDataConfig = { ChannelName = 'x' }
    exit code: 2
    --- stderr
    error: `request.StoppingCondition` is an integer, and should be a table
      --> proj/job.toml:11:21
       |
    11 | StoppingCondition = 5
       |                     ^ expected a table
    error: `request.InputDataConfig` is a table, and should be a list
      --> proj/job.toml:12:19
       |
    12 | InputDataConfig = { ChannelName = 'x' }
       |                   ^^^^^^^^^^^^^^^^^^^^^ expected a list
    proj/job.toml: 2 errors
    ## VpcConfig.Subnets = ['subnet-11111111']
    exit code: 2
    --- stderr
    error: `request.VpcConfig` lacks `SecurityGroupIds`, which CreateTrainingJob requires
      --> proj/job.toml:11:1
       |
    11 | VpcConfig.Subnets = ['subnet-11111111']
       | ^^^^^^^^^
    proj/job.toml: 1 error
    ## RetryStrategy = {}
    exit code: 2
    --- stderr
    error: `request.RetryStrategy` lacks `MaximumRetryAttempts`, which CreateTrainingJob requires
      --> proj/job.toml:11:17
       |
    11 | RetryStrategy = {}
       |                 ^^
    proj/job.toml: 1 error
    "#);
    Ok(())
}
