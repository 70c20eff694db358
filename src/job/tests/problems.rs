//! Specs with mistakes, and every problem that is shown for them: `LINE:COLUMN message -- hint`.
//!
//! Each case is a spec's text with its problems. Those in [`WITH_BASE`] are followed by the sections that every spec
//! needs, so that only the mistake counts.

use super::{BASE, Project, TestResult};

type Case = (&'static str, &'static [&'static str]);

const WITH_BASE: &[Case] = &[
    // Syntax and keys.
    (r#"name = "a"#, &["1:10 invalid TOML: invalid basic string, expected `\"`"]),
    ("name = ", &["1:8 invalid TOML: a value is missing"]),
    (r#"name "a""#, &["1:6 invalid TOML: key with no value, expected `=`"]),
    (
        r#"name = "a"
name = "b""#,
        &["2:1 duplicate key `name` -- it is first given at line 1, column 1"],
    ),
    (
        r#"[limits]
max_run = 1
[spot]
enabled = true
[channels]
a = {source = "data", source = "data"}"#,
        &["6:23 duplicate key `source` -- it is first given at line 6, column 6"],
    ),
    (r#"nmae = "x""#, &["1:1 unknown key `nmae` -- did you mean `name`?"]),
    (
        r#"instance_type = "ml.m5.xlarge""#,
        &["1:1 unknown key `instance_type` -- `instance_type` belongs in [resources]"],
    ),
    ("max_run = 3", &["1:1 unknown key `max_run` -- `max_run` belongs in [limits]"]),
    (
        r#"source_dir = "src"
entry_point = "train.py""#,
        &[
            "1:1 unknown key `source_dir` -- `dir` belongs in [source]",
            "2:1 unknown key `entry_point` -- `entry_point` belongs in [source]",
        ],
    ),
    ("use_spot_instances = true", &["1:1 unknown key `use_spot_instances` -- `enabled` belongs in [spot]"]),
    (
        r"[limit]
max_run = 3",
        &["1:2 unknown key `limit` -- did you mean `limits`?"],
    ),
    (
        r"[limits]
max_runs = 3
instance_count = 2
zebra = 1",
        &[
            "2:1 unknown key `max_runs` in [limits] -- did you mean `max_run`?",
            "3:1 unknown key `instance_count` in [limits] -- `instance_count` belongs in [resources]",
            "4:1 unknown key `zebra` in [limits]",
        ],
    ),
    (
        r"[spot]
enable = true",
        &["2:1 unknown key `enable` in [spot] -- did you mean `enabled`?"],
    ),
    (
        r#"[channels.train]
source = "data"
S3DataType = "S3Prefix""#,
        &["3:1 unknown key `S3DataType` in [channels.train] -- did you mean `s3_data_type`?"],
    ),
    ("name = churn", &["1:8 invalid TOML: string values must be quoted"]),
    (
        r#"limits = 3
spot = "yes"
channels = 4
metrics = []
tags = 1
hyperparameters = true"#,
        &[
            "1:10 `limits` is an integer, and should be a table",
            "2:8 `spot` is a string, and should be a table",
            "3:12 `channels` should be a table: train = \"s3://bucket/data\"",
            "4:11 `metrics` should be a table: name = 'regular expression'",
            "5:8 `tags` should be a table",
            "6:19 `hyperparameters` should be a table",
        ],
    ),
    // Types and words.
    (
        r"name = 3
role = true
region = 2026-11-23",
        &[
            "1:8 `name` is an integer, and should be a string -- write \"3\", in quotes",
            "2:8 `role` is a boolean, and should be a string -- write \"true\", in quotes",
            "3:10 `region` is a date or time, and should be a string -- write \"2026-11-23\", in quotes",
        ],
    ),
    (
        r#"[limits]
max_retry_attempts = "10""#,
        &["2:22 `max_retry_attempts` is a string, and should be an integer -- write 10 without quotes"],
    ),
    (
        r"[limits]
max_retry_attempts = 1.5",
        &["2:22 `max_retry_attempts` is a float, and should be an integer"],
    ),
    (
        r#"[spot]
enabled = "true""#,
        &["2:11 `enabled` is a string, and should be a boolean -- write true without quotes"],
    ),
    (
        r"[spot]
enabled = 1",
        &["2:11 `enabled` is an integer, and should be a boolean"],
    ),
    (
        r#"input_mode = "file""#,
        &["1:14 `input_mode` is \"file\", and should be File, Pipe or FastFile -- did you mean `File`?"],
    ),
    (r#"input_mode = "Stream""#, &["1:14 `input_mode` is \"Stream\", and should be File, Pipe or FastFile"]),
    (
        r#"[network]
subnets = "subnet-1"
security_group_ids = [1]"#,
        &[
            "2:11 `subnets` is a string, and should be a list of strings -- write [\"subnet-1\"]",
            "3:23 an entry of `security_group_ids` is an integer, and should be a string -- write \"1\", in quotes",
        ],
    ),
    (
        r#"[output]
compression = "zip""#,
        &["2:15 `compression` is \"zip\", and should be gzip or none -- did you mean `gzip`?"],
    ),
    (
        r#"[debugger]
rules = { name = "r", image = "i" }"#,
        &["2:9 `rules` is a table, and should be a list of tables -- write it as [{ ... }], or under [[ ]]"],
    ),
    (
        r"[debugger]
rules = [1]",
        &["2:10 `rules` is an integer, and should be a table"],
    ),
    // Durations.
    (
        r#"[limits]
max_run = "1 hour""#,
        &[
            "2:11 `max_run` is not a duration -- durations are written as \"90s\", \"30m\", \"24h\", \"1h30m\" or a number of seconds",
        ],
    ),
    (
        r"[limits]
max_run = 0",
        &["2:11 `max_run` is out of range: it should be 1s to 672h"],
    ),
    (
        r#"[limits]
max_run = "29d""#,
        &["2:11 `max_run` is out of range: it should be 1s to 672h"],
    ),
    (
        r"[limits]
max_run = -1",
        &[
            "2:11 `max_run` is not a duration -- durations are written as \"90s\", \"30m\", \"24h\", \"1h30m\" or a number of seconds",
        ],
    ),
    (
        r"[limits]
max_run = true",
        &["2:11 `max_run` is a boolean, and should be a duration"],
    ),
    (
        r#"[limits]
max_pending = "10m""#,
        &["2:15 `max_pending` is out of range: it should be 30m to 672h"],
    ),
    (
        r#"[local]
stop_grace = "2h""#,
        &["2:14 `stop_grace` is out of range: it should be 0s to 1h"],
    ),
    // Names and numbers.
    (
        r#"name = "my_job""#,
        &[
            "1:8 `name` can't start the names of jobs: a name has only letters, digits and hyphens, not '_' -- did you mean \"my-job\"?",
        ],
    ),
    (
        r#"name = "___""#,
        &["1:8 `name` can't start the names of jobs: a name has only letters, digits and hyphens, not '_'"],
    ),
    (
        r#"role = "a role""#,
        &["1:8 `role` has the character ' ', and only letters, digits and `_+=,.@-`, or an ARN, are allowed"],
    ),
    (r#"role = "arn:aws:iam::1:role/R""#, &["1:8 `role` is not a role's ARN: arn:aws:iam::ACCOUNT:role/NAME"]),
    (r#"region = "Ireland""#, &["1:10 `region` is not a region, such as eu-west-1"]),
    (
        r"[limits]
max_retry_attempts = 31",
        &["2:22 `max_retry_attempts` is out of range: it should be 1 to 30"],
    ),
    (
        r"[limits]
max_retry_attempts = 99999999999999999999",
        &["2:22 `max_retry_attempts` is out of range: it should be 1 to 30"],
    ),
    (
        r#"[output]
s3_uri = "bucket/jobs""#,
        &["2:10 `s3_uri` is not an S3 URI: an S3 URI starts with s3://"],
    ),
    (
        r#"[output]
s3_uri = "s3://Bucket/jobs"
kms_key_id = "a b""#,
        &[
            "2:10 `s3_uri` is not an S3 URI: \"Bucket\" is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens",
            "3:14 `kms_key_id` has the character ' ', and only letters, digits, `:`, `/`, `_` and `-` are allowed",
        ],
    ),
    (
        r#"[checkpoints]
local_path = "checkpoints""#,
        &["2:14 `local_path` is not an absolute path in the container, such as /opt/ml/x"],
    ),
    (
        r#"[network]
subnets = ["a b"]
security_group_ids = ["1", "2", "3", "4", "5", "6"]"#,
        &[
            "2:12 `subnets` has an entry that has the character ' ', and only letters, digits and `-` are allowed",
            "3:22 `security_group_ids` has 6 entries, and at most 5 are allowed",
        ],
    ),
    (
        r#"[experiment]
name = "a_b""#,
        &["2:8 `name` has the character '_', and only letters, digits and `-` are allowed"],
    ),
    (
        r#"[mlflow]
resource_arn = "server""#,
        &["2:16 `resource_arn` is not an ARN of sagemaker: arn:aws:sagemaker:REGION:ACCOUNT:..."],
    ),
    (
        r#"[mlflow]
run_name = "r""#,
        &["1:1 [mlflow] needs `resource_arn` -- the ARN of the tracking server or app"],
    ),
    (
        r"[profiler]
system_monitor_interval_millis = 300",
        &["2:34 `system_monitor_interval_millis` should be 100, 200, 500, 1000, 5000 or 60000"],
    ),
    (
        r#"[tensorboard]
local_path = "/x""#,
        &["1:1 [tensorboard] needs `s3_uri` -- where its events go"],
    ),
    // Free-form tables.
    (
        r#"[hyperparameters]
sagemaker_program = "x"
day = 2026-11-23
rate = inf
big = 99999999999999999999999"#,
        &[
            "2:1 hyperparameters that start with `sagemaker_` are reserved -- give it another name",
            "3:7 a date or time can't be sent as a value here -- write it in quotes: \"2026-11-23\"",
            "4:8 inf can't be sent as a value here -- write it in quotes: \"inf\"",
            "5:7 99999999999999999999999 can't be sent as a value here -- write it in quotes: \"99999999999999999999999\"",
        ],
    ),
    (
        r#"[hyperparameters]
"" = 1"#,
        &["2:1 a hyperparameter's name has 1 to 256 characters, and this has 0"],
    ),
    (
        r#"[environment]
"A-B" = 1
1A = "x"
LIST = [1]
NAN = nan"#,
        &[
            "2:1 the variable's name has the character '-', and only letters, digits and `_` are allowed",
            "3:1 the variable's name starts with a digit",
            "4:8 an array can't be sent as a value here -- strings, integers, floats and booleans can",
            "5:7 nan can't be sent as a value here -- write it in quotes: \"nan\"",
        ],
    ),
    (
        r#"[tags]
"aws:x" = "1"
"smtrain:x" = "1"
mark = "a#b""#,
        &[
            "2:1 tags that start with `aws:` are reserved -- give it another key",
            "3:1 tags that start with `smtrain:` are reserved -- give it another key",
            "4:8 the tag's value has the character '#', and only letters, digits, spaces and `_.:/=+-@` are allowed",
        ],
    ),
    (
        r#"[metrics]
loss = "loss="
acc = "acc=("
ahead = "(?=x)(.)"
number = 1
empty = """#,
        &[
            "2:8 the expression has no group, which is what the value is read from -- put the number in parentheses: 'loss=([0-9.]+)'",
            "3:7 the expression is not a regular expression: unclosed group",
            "4:9 warning: the expression can't be checked or used locally: look-around, including look-ahead and look-behind, is not supported",
            "5:10 a metric's expression is a string, not an integer -- such as 'loss=([0-9.]+)'",
            "6:9 the expression is empty",
        ],
    ),
    // Combinations.
    (
        r#"[limits]
max_wait = "2h""#,
        &["2:12 `max_wait` is only for spot instances -- add [spot] with enabled = true"],
    ),
    (
        r#"[limits]
max_run = "2h"
max_wait = "1h"
[spot]
enabled = true"#,
        &[
            "3:12 `max_wait` (1h) is shorter than `max_run` (2h), which it includes -- make it at least as long, or leave it out: it is then the same",
        ],
    ),
    (
        r#"[network]
subnets = ["subnet-1"]"#,
        &["2:11 `subnets` needs `security_group_ids` too -- add security_group_ids = [...]"],
    ),
    (
        r#"[network]
subnets = []
security_group_ids = ["sg-1"]"#,
        &["2:11 `subnets` has no entries -- leave it out"],
    ),
    (
        r#"[channels]
train = "efs://fs-01234567/data""#,
        &[
            "2:9 a file system is reached through a network, and none is given -- add [network] with subnets and security_group_ids",
        ],
    ),
    (
        r#"[distribution]
type = "smdistributed_dataparallel"
processes_per_host = 2
modelparallel = {}
parameters = { a = 1 }"#,
        &[
            "3:22 `processes_per_host` is only for mpi or smdistributed_modelparallel -- leave it out",
            "4:17 `modelparallel` is only for torch_distributed -- leave it out",
            "5:14 `parameters` is only for smdistributed_modelparallel -- leave it out",
        ],
    ),
    (
        r#"[distribution]
type = "torchdistributed""#,
        &[
            "2:8 `type` is \"torchdistributed\", and should be torch_distributed, mpi, smdistributed_dataparallel, smdistributed_modelparallel, parameter_server, multi_worker_mirrored_strategy or pytorch_xla -- did you mean `torch_distributed`?",
        ],
    ),
    (
        r#"[distribution]
type = "pytorch_xla""#,
        &["2:8 `pytorch_xla` needs the training compiler -- add training_compiler = true to [framework]"],
    ),
    (
        r#"[distribution]
type = "parameter_server""#,
        &["2:8 this distribution is only for tensorflow or mxnet -- choose another type"],
    ),
    (
        r#"[distribution]
instance_groups = ["gpu"]"#,
        &[
            "1:1 [distribution] needs `type` -- such as type = \"torch_distributed\" or \"mpi\"",
            "2:19 there is no instance group `gpu` -- groups are named in resources.instance_groups",
        ],
    ),
    // Channels.
    (
        r#"[channels]
"a b" = "data"
b = 3
c = ""
d = "https://example.com/x"
e = "s3://B/x"
f = "efs://x/y""#,
        &[
            "2:1 the channel's name has the character ' ', and only letters, digits, `.`, `-` and `_` are allowed",
            "3:5 a channel is a string or a table, not an integer -- such as \"s3://bucket/data\"",
            "4:5 a channel's source can't be empty -- a source is s3://BUCKET/PREFIX, efs://fs-ID/PATH, fsx://fs-ID/PATH, or a file or folder here",
            "5:5 a channel can't be read from https:// -- a source is s3://BUCKET/PREFIX, efs://fs-ID/PATH, fsx://fs-ID/PATH, or a file or folder here",
            "6:5 \"B\" is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens -- a source is s3://BUCKET/PREFIX, efs://fs-ID/PATH, fsx://fs-ID/PATH, or a file or folder here",
            "7:5 \"x\" is not the id of a file system, such as fs-0123456789abcdef0 -- a source is s3://BUCKET/PREFIX, efs://fs-ID/PATH, fsx://fs-ID/PATH, or a file or folder here",
        ],
    ),
    (
        r"[channels.train]
content_type = 1",
        &[
            "1:1 [channels.train] needs `source` -- where its data is: s3://bucket/prefix, or a file or folder here",
            "2:16 `content_type` is an integer, and should be a string -- write \"1\", in quotes",
        ],
    ),
    (
        r#"[channels.train]
source = "data"
access = "ro"
attribute_names = ["a"]
instance_groups = ["gpu"]"#,
        &[
            "3:10 `access` is only for efs:// and fsx:// sources -- leave it out",
            "4:19 `attribute_names` is only for augmented manifests -- add s3_data_type = \"AugmentedManifestFile\"",
            "5:19 there is no instance group `gpu` -- groups are named in resources.instance_groups",
        ],
    ),
    (
        r#"[channels.train]
source = "data"
s3_data_type = "AugmentedManifestFile"
distribution = "Sharded""#,
        &[
            "3:16 an augmented manifest needs `attribute_names` -- add attribute_names = [\"source-ref\", ...]",
            "4:16 `distribution` is \"Sharded\", and should be FullyReplicated or ShardedByS3Key",
        ],
    ),
    (
        r#"[channels.train]
source = "fsx://fs-01234567/x"
distribution = "FullyReplicated"
[network]
subnets = ["a"]
security_group_ids = ["b"]"#,
        &["3:16 `distribution` is only for data in S3 -- leave it out"],
    ),
    // Files.
    (
        r#"[channels]
train = "daat""#,
        &["2:9 there is no ~/churn/daat -- did you mean `data`?"],
    ),
];

const WHOLE: &[Case] = &[
    // Syntax and keys.
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge"
[resources]
instance_count = 2"#,
        &["8:2 duplicate key `resources` -- it is first given at line 6, column 2"],
    ),
    (
        r#"[frmework]
name = "pytorch"
[sorce]
entry_point = "train.py"
[resourcs]
instance_type = "ml.m5.xlarge""#,
        &[
            "1:2 unknown key `frmework` -- did you mean `framework`?",
            "3:2 unknown key `sorce` -- did you mean `source`?",
            "5:2 unknown key `resourcs` -- did you mean `resources`?",
        ],
    ),
    (
        r#"instance_type = "ml.m5.xlarge"
[framework]
name = "pytorch"
version = "2"
[source]
entrypoint = "train.py""#,
        &[
            "1:1 unknown key `instance_type` -- `instance_type` belongs in [resources]",
            "6:1 unknown key `entrypoint` in [source] -- did you mean `entry_point`?",
        ],
    ),
    // What runs.
    (
        r#"name = "x"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["nothing says what runs -- add [framework] with a name such as \"pytorch\", [algorithm] or [container]"],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[container]
image = "x"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["3:1 [container] can't be used beside [algorithm]: one of them says what runs -- keep the one that you mean"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["[framework] needs a script, and none is given -- add entry_point = \"train.py\" to [source]"],
    ),
    (
        r#"[framework]
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "1:1 [framework] needs `name` -- such as name = \"pytorch\"",
            "1:1 [framework] needs `version` -- such as version = \"2.3\"; it is optional beside `image`",
        ],
    ),
    (
        r#"[framework]
name = "torch"
version = 2.3
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "2:8 \"torch\" is not a framework with training images -- did you mean `pytorch`?",
            "3:11 `version` is a float, and should be a string -- write \"2.3\", in quotes",
        ],
    ),
    (
        r#"[framework]
name = "jax"
version = "1"
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["2:8 \"jax\" is not a framework with training images -- give its `image`, or use [container]"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
pytorch_version = "2.3"
model_dir = false
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "4:19 `pytorch_version` is only for huggingface -- leave it out",
            "5:13 `model_dir` is only for tensorflow -- leave it out",
        ],
    ),
    (
        r#"[framework]
name = "huggingface"
version = "4.36"
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["1:1 [framework] needs `pytorch_version` -- or `tensorflow_version`: a Hugging Face image has one of both"],
    ),
    (
        r#"[framework]
name = "sklearn"
version = "1.2"
training_compiler = true
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "4:21 `training_compiler` is only for pytorch, tensorflow or huggingface -- leave it out",
            "8:17 the training compiler doesn't run on `ml.m5.xlarge` -- it runs on ml.p3, ml.p3dn, ml.p4d, ml.g4dn and ml.g5",
        ],
    ),
    (
        r#"[algorithm]
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "1:1 [algorithm] needs `name` -- such as name = \"xgboost\", or the algorithm's `arn`",
            "2:1 [source] can't be used with [algorithm], which has its own code -- leave it out",
        ],
    ),
    (
        r#"[algorithm]
arn = "x"
name = "y"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "2:7 `arn` is not an ARN of sagemaker: arn:aws:sagemaker:REGION:ACCOUNT:...",
            "3:8 `name` can't be used beside `arn`, which names the algorithm",
        ],
    ),
    (
        r#"[container]
image = "a b"
repository_access = "Vpc"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "2:9 `image` has the character ' ', and only characters without spaces are allowed",
            "3:21 a repository in your VPC is reached through a network, and none is given -- add [network] with subnets and security_group_ids",
        ],
    ),
    (
        r#"[container]
image = "x"
repository_credentials_provider_arn = "arn:aws:lambda:eu-west-1:111122223333:function:f"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "3:39 `repository_credentials_provider_arn` needs a repository in your VPC -- add repository_access = \"Vpc\"",
        ],
    ),
    (
        r#"[container]
image = "x"
[source]
[resources]
instance_type = "ml.m5.xlarge""#,
        &["3:1 nothing says what of [source] runs -- add entry_point = \"train.py\", or [container] entrypoint"],
    ),
    (
        r#"[container]
image = "x"
entrypoint = ["a"]
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["3:14 `entrypoint` can't be used beside the `entry_point` of [source] -- keep the one that starts the job"],
    ),
    // Instances.
    (
        r#"[algorithm]
name = "xgboost""#,
        &[
            "[resources] needs `instance_type` -- such as instance_type = \"ml.m5.xlarge\", or \"local\" to run on this computer",
        ],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_count = 0"#,
        &[
            "3:1 [resources] needs `instance_type` -- such as instance_type = \"ml.m5.xlarge\", or \"local\" to run on this computer",
            "4:18 `instance_count` is out of range: it should be at least 1",
        ],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "g5.xlarge""#,
        &["4:17 \"g5.xlarge\" is not an instance type -- did you mean `ml.g5.xlarge`?"],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "ml.g5.3xlarge""#,
        &["4:17 warning: instance type `ml.g5.3xlarge` is not in the built-in list -- did you mean `ml.g5.xlarge`?"],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "big one""#,
        &["4:17 \"big one\" is not an instance type -- such as \"ml.m5.xlarge\", or \"local\""],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "ml.m5.xlarge"
instance_groups = [{ name = "a", type = "ml.m5.xlarge", count = 1 }]"#,
        &[
            "4:17 `instance_type` can't be used beside `instance_groups` -- each entry has a type and a count of its own",
        ],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_groups = [{ name = "a", type = "ml.m5.xlarge", count = 1 }, { name = "a", typ = "ml.m5.xlarge", count = 1 }]"#,
        &[
            "4:19 two instance groups are named `a`",
            "4:84 unknown key `typ` in [resources.instance_groups] -- did you mean `type`?",
        ],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_groups = [{ name = "a", type = "local", count = 1 }]
instance_preferences = [{ type = "ml.p5.48xlarge" }]"#,
        &[
            "4:41 `local` can't be one of several types -- write instance_type = \"local\" instead",
            "5:24 `instance_preferences` can't be used beside `instance_groups` -- keep one of them",
        ],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_groups = []"#,
        &["4:19 `instance_groups` has no entries -- leave it out"],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "local"
instance_count = 2"#,
        &[],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[resources]
instance_type = "ml.m5.xlarge"
keep_alive_period = "7h"
training_plan_arn = "x"
volume_size_gb = 99999"#,
        &[
            "5:21 `keep_alive_period` is out of range: it should be 0s to 6h",
            "6:21 `training_plan_arn` is not an ARN of sagemaker: arn:aws:sagemaker:REGION:ACCOUNT:...",
            "7:18 `volume_size_gb` is out of range: it should be 1 to 16384",
        ],
    ),
    // Combinations.
    (
        r#"[algorithm]
name = "xgboost"
[spot]
enabled = true
[resources]
instance_type = "ml.m5.xlarge"
keep_alive_period = "1h""#,
        &["7:21 `keep_alive_period` can't be used with spot instances, which can't be kept -- leave one of them out"],
    ),
    (
        r#"[algorithm]
name = "xgboost"
[distribution]
type = "mpi"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["4:8 [distribution] is only for [framework] -- leave it out"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "1.12"
training_compiler = true
[source]
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "8:17 the training compiler doesn't run on `ml.m5.xlarge` -- it runs on ml.p3, ml.p3dn, ml.p4d, ml.g4dn and ml.g5",
        ],
    ),
    // Files.
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
dir = "src"
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["5:7 there is no ~/churn/src -- relative paths start in the spec's folder"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
dir = "notes.txt"
entry_point = "train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["5:7 ~/churn/notes.txt is not a folder -- `dir` is the folder that the script is in"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "trian.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["5:15 there is no ~/churn/trian.py -- did you mean `train.py`?"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "../train.py"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["5:15 `entry_point` has an empty, `.` or `..` part, which the training toolkit refuses"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "notes.txt"
[resources]
instance_type = "ml.m5.xlarge""#,
        &["5:15 `entry_point` is neither a .py nor a .sh file"],
    ),
    (
        r#"[framework]
name = "pytorch"
version = "2.3"
[source]
entry_point = "train.py"
dependencies = ["../common", "../other/common", "../data", "../churn/data", ".."]
[resources]
instance_type = "ml.m5.xlarge""#,
        &[
            "6:30 ~/churn/../other/common and ~/churn/../common would have the same place in the code archive -- rename one of them",
            "6:49 there is no ~/churn/../data -- relative paths start in the spec's folder",
            "6:60 ~/churn/../churn/data and ~/churn/data would have the same place in the code archive -- rename one of them",
            "6:77 ~/churn/.. has no name to be laid under -- name a folder or file",
        ],
    ),
];

#[test]
fn every_mistake_is_shown_with_its_place() -> TestResult {
    let project = Project::new()?;
    for (text, expected) in WITH_BASE {
        assert_eq!(project.problems(format!("{text}\n{BASE}"), &[])?, *expected, "{text}");
    }
    for (text, expected) in WHOLE {
        assert_eq!(project.problems(text, &[])?, *expected, "{text}");
    }
    Ok(())
}
