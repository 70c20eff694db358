//! How a driver's program starts and ends, in images that have much and in images that have little.

use std::io::{BufRead, BufReader, Write};

use super::harness::{ALONE, Container, driver, find, in_each_shell, plain_driver, request, said, shells};
use super::*;
use crate::model::JobName;
use crate::tests::{TestResult, finish};

/// Writes down its arguments, one a line, and some variables.
const SHOW: &str = "#!/bin/sh
printf '%s\\n' \"$@\"
printf '%s|' \"$SM_HPS\" \"$SM_NUM_GPUS\" \"$SM_NUM_NEURONS\" \"$SM_RESOURCE_CONFIG\" \"$PWD\"
";

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

#[test]
fn an_image_with_a_shell_and_tar_is_enough() -> TestResult {
    // The program that is the shell itself in some images counts as the shell here.
    let programs = ["tar", "gzip", "mkdir", "chmod"];
    let values = [("a", "\"it's \\\"q\\\" $HOME `x` \\\\ \\n end\""), ("with-dash", "[1, 1e-7]")];
    for shell in shells().into_iter().filter(|shell| shell[0] != "mksh") {
        let container = Container::new()?.in_shell(&shell).only(&programs)?.source("train.sh", SHOW)?;
        let script = driver(&request(&values)?, Program::EntryPoint("train.sh"))?;
        let output = container.run(&script, &["--more", "a 'b'"])?;
        let said = said(&output);
        assert!(output.status.success(), "{said}");
        let arguments = "-a\nit's \"q\" $HOME `x` \\ \n end\n--with-dash\n[1, 1e-07]\n--more\na 'b'\n";
        let hps = r#"{"a":"it's \"q\" $HOME `x` \\ \n end","with-dash":[1,1e-07]}"#;
        let resources = r#"{"current_host":"algo-1","hosts":["algo-1"]}"#;
        assert_eq!(said, format!("{arguments}{hps}|0|0|{resources}|{}/code|", container.ml()), "{shell:?}");
        assert_eq!(container.read("ml/output/success")?, "");
    }
    Ok(())
}

#[test]
fn exit_codes_and_failures_are_told() -> TestResult {
    in_each_shell(|container| {
        let container =
            container.source("train.sh", "exit 3")?.source("train.py", "import os\nos.kill(os.getpid(), 9)")?;
        let script = driver(&request(&[("a", "\"x y\"")])?, Program::EntryPoint("train.sh"))?;
        assert_eq!(container.run(&script, &[])?.status.code(), Some(3));
        let told = "ExecuteUserScriptError:\nExitCode 3\nErrorMessage \"\"\nCommand \"/bin/sh -c ./train.sh -a 'x y'\"";
        assert_eq!(container.failure()?, told);
        assert!(!container.path("ml/output/success").exists());

        assert_eq!(container.run(&plain_driver("train.py")?, &[])?.status.code(), Some(137));
        assert_eq!(container.failure()?, told, "the first failure stays");
        std::fs::remove_file(container.path("ml/output/failure"))?;
        container.run(&plain_driver("train.py")?, &[])?;
        let killed = "ExitCode -9\nErrorMessage \"\"\nExtraInfo \"Process killed by SIGKILL (signal 9)\"\nCommand \"";
        assert!(container.failure()?.contains(killed), "{}", container.failure()?);
        Ok(())
    })
}

#[test]
fn sigterm_reaches_the_script_and_its_exit_code_counts() -> TestResult {
    let shell = "trap 'echo stopped; exit 7' TERM; echo ready; while :; do sleep 0.05; done";
    let python = "import signal, sys\ndef stop(*_):\n  print('stopped')\n  sys.exit(7)\nsignal.signal(signal.SIGTERM, stop)\n\
                  print('ready', flush=True)\nwhile True: signal.pause()";
    for (name, text) in [("train.sh", shell), ("train.py", python)] {
        in_each_shell(|container| {
            let container = container.source(name, text)?;
            let mut child = container.start(&plain_driver(name)?, &[])?;
            let mut lines = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
            assert_eq!(lines.next().transpose()?.as_deref(), Some("ready"), "{name}");
            nix::sys::signal::kill(
                nix::unistd::Pid::from_raw(child.id().try_into()?),
                nix::sys::signal::Signal::SIGTERM,
            )?;
            assert_eq!(lines.next().transpose()?.as_deref(), Some("stopped"), "{name}");
            assert_eq!(finish(child)?.status.code(), Some(7), "{name}");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn a_command_runs_in_the_source_folder_with_the_containers_arguments() -> TestResult {
    in_each_shell(|container| {
        let container = container.source("data.txt", "found")?;
        let command = strings(&[
            "sh",
            "-c",
            "cat data.txt; read line; echo \"$line\"; printf '<%s>' \"$@\" \"$SM_HP_A\"",
            "name",
        ]);
        let script = driver(&request(&[("a", "1")])?, Program::Command(&command))?;
        let mut child = container.start(&script, &["--fast", "$(x)"])?;
        child.stdin.take().ok_or("no stdin")?.write_all(b"from stdin\n")?;
        let output = finish(child)?;
        assert_eq!(said(&output), "foundfrom stdin\n<--fast><$(x)><1>");
        Ok(())
    })
}

#[test]
fn requirements_are_installed_where_there_is_python() -> TestResult {
    let pip = "#!/bin/sh\necho \"$SM_HPS$CURRENT_HOST: $*\"\n[ \"$3\" != install ] || exit ${PIP_EXIT-0}\n";
    in_each_shell(|container| {
        let container = container.program("python3", pip)?.source("requirements.txt", "x")?.source("train.py", "")?;
        let output = container.run(&plain_driver("train.py")?, &[])?;
        assert_eq!(said(&output), "algo-1: -m pip install -r requirements.txt\n{}algo-1: -- train.py\n");
        let container = container.source("setup.py", "")?.variable("PIP_EXIT", "2");
        assert_eq!(container.run(&plain_driver("train.py")?, &[])?.status.code(), Some(1));
        let python = container.path("bin/python3").display().to_string();
        let failure = container.failure()?.replace(&python, "python");
        let told = "InstallModuleError:\nExitCode 2\nErrorMessage \"\"\nCommand \"python -m pip install . -r requirements.txt\"";
        assert_eq!(failure, told);
        let output = container.variable("PIP_EXIT", "0").run(&plain_driver("train.py")?, &[])?;
        assert!(said(&output).ends_with("algo-1: -m train\n"), "{}", said(&output));
        Ok(())
    })
}

#[test]
fn what_needs_python_is_said_where_there_is_none() -> TestResult {
    let container = Container::new()?.only(&["tar", "gzip", "mkdir", "chmod"])?.source("requirements.txt", "x")?;
    let container = container.source("train.py", "")?;
    let command = strings(&["echo", "trained"]);
    let output = container.run(&driver(&request(&[])?, Program::Command(&command))?, &[])?;
    assert!(!output.status.success(), "echo is no program of this image");
    let command = strings(&["/bin/sh", "-c", "echo trained"]);
    let output = container.run(&driver(&request(&[])?, Program::Command(&command))?, &[])?;
    assert!(output.status.success());
    assert_eq!(said(&output), "trained\nsmtrain: the image has no Python: -r requirements.txt is not installed\n");
    std::fs::remove_file(container.path("ml/output/failure"))?;
    let output = container.run(&plain_driver("train.py")?, &[])?;
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(container.failure()?, "train.py needs Python, and the image has none.");
    Ok(())
}

#[test]
fn code_is_unpacked_by_what_there_is() -> TestResult {
    let run = |programs: &[&str], archive_is_whole: bool| -> TestResult<(Option<i32>, Container)> {
        let container = Container::new()?.only(programs)?.source("train.sh", "exit 4")?;
        let script = plain_driver("train.sh")?;
        let script = if archive_is_whole { script } else { script.replace("sourcedir", "other") };
        Ok((container.run(&script, &[])?.status.code(), container))
    };
    assert_eq!(run(&["tar", "gzip", "mkdir", "chmod"], true)?.0, Some(4));
    assert_eq!(run(&["python3", "mkdir", "chmod"], true)?.0, Some(4));
    let (exit_code, container) = run(&["mkdir"], true)?;
    assert_eq!(exit_code, Some(1));
    assert!(container.failure()?.contains("neither tar nor Python"));
    let (exit_code, container) = run(&["tar", "gzip", "mkdir"], false)?;
    assert_eq!(exit_code, Some(1));
    assert!(container.failure()?.contains("could not be unpacked"));
    Ok(())
}

#[test]
fn a_tar_without_gzip_is_helped() -> TestResult {
    let real = find("tar").ok_or("no tar")?.display().to_string();
    let tar = format!("#!/bin/sh\ncase $1 in -xzf) exit 1;; esac\nexec {real} \"$@\"\n");
    let container = Container::new()?.program("tar", &tar)?.source("train.sh", "exit 4")?;
    assert_eq!(container.run(&plain_driver("train.sh")?, &[])?.status.code(), Some(4));
    Ok(())
}

#[test]
fn devices_are_counted_and_json_is_read_in_any_form() -> TestResult {
    let config = "\r\n{ \"z\":{ } ,\t\"hosts\" : [\n \"algo-1\" , \"b\\/c\" ] , \"n\": [ -1.5e3 ,null,\ttrue ],\
                  \"aa\" : [ ], \"current_host\"\n:\n\"algo-1\", \"a\": \"]},:\\\\\\\"\" }\n\n";
    let canonical =
        r#"{"a":"]},:\\\"","aa":[],"current_host":"algo-1","hosts":["algo-1","b/c"],"n":[-1.5e3,null,true],"z":{}}"#;
    let neuron =
        "#!/bin/sh\necho '[ {\"nc_count\": 2, \"x\": {\"nc_count\": 9}},'; echo '{\"y\": 1, \"nc_count\":4} ]'\n";
    in_each_shell(|container| {
        let container = container
            .resource_config(config)?
            .program("nvidia-smi", "#!/bin/sh\nprintf 'GPU 0: A\\nno GPU 7\\nGPU 1: B\\n'\n")?
            .program("neuron-ls", neuron)?
            .source("train.sh", SHOW)?;
        let output = container.run(&plain_driver("train.sh")?, &[])?;
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(said(&output), format!("\n{{}}|2|6|{canonical}|{}/code|", container.ml()));
        Ok(())
    })
}

#[test]
fn a_script_starts_when_all_hosts_have_addresses() -> TestResult {
    let getent = "#!/bin/sh\necho \"$2\" >>\"$LOG\"\n[ \"$2\" != algo-2 ] || [ -e \"$LOG.slept\" ]\n";
    in_each_shell(|container| {
        let log = container.path("log").display().to_string();
        let container = container
            .resource_config(r#"{"current_host": "algo-1", "hosts": ["algo-1", "algo-2", "algo-3"]}"#)?
            .variable("SM_STUDIO_LOCAL_MODE", "false")
            .variable("LOG", &log)
            .program("getent", getent)?
            .program("sleep", "#!/bin/sh\n: >\"$LOG.slept\"\n")?
            .source("train.sh", "echo started >>\"$LOG\"")?;
        let output = container.run(&plain_driver("train.sh")?, &[])?;
        assert!(output.status.success(), "{}", said(&output));
        assert_eq!(container.read("log")?, "algo-1\nalgo-2\nalgo-2\nalgo-3\nstarted\n");
        Ok(())
    })
}

#[test]
fn a_resource_config_that_cant_be_used_fails_the_job() -> TestResult {
    in_each_shell(|container| {
        let mut container = container.source("train.sh", "")?;
        for text in ["", "{", "nonsense", "{\"hosts\": [\"a\"", "{\"hosts\": [\"a\"]}", "{\"hosts\" [1]}", "[1"] {
            container = container.resource_config(text)?;
            let output = container.run(&plain_driver("train.sh")?, &[])?;
            assert_eq!(output.status.code(), Some(1), "{text}");
            assert!(container.failure()?.contains("resourceconfig.json"), "{text}");
        }
        assert!(container.resource_config(ALONE)?.run(&plain_driver("train.sh")?, &[])?.status.success());
        Ok(())
    })
}

#[test]
fn the_drivers_own_channels_are_not_the_scripts() -> TestResult {
    let mut request = request(&[])?;
    let channel = |name: &str| serde_json::json!({"ChannelName": name, "DataSource": {}, "InputMode": "File"});
    let channels = ["code", "second-channel", "sm_drivers"].map(channel);
    request.input_data_config = Some(serde_json::from_value(channels.into())?);
    let script = driver(&request, Program::EntryPoint("train.py"))?;
    assert!(script.contains("SM_CHANNELS='[\"second-channel\"]'") && script.contains("SM_CHANNEL_SECOND-CHANNEL="));
    for hidden in ["SM_CHANNEL_CODE", "SM_CHANNEL_SM_DRIVERS", "\"code\"", "\"sm_drivers\""] {
        assert!(!script.contains(hidden), "{hidden}");
    }
    Ok(())
}

#[test]
fn equal_jobs_have_equal_drivers() -> TestResult {
    let (mut one, mut other) = (request(&[("a", "1")])?, request(&[("a", "1")])?);
    one.training_job_name = JobName::new("one")?;
    other.training_job_name = JobName::new("other")?;
    let of = |request| driver(request, Program::EntryPoint("train.py"));
    assert_eq!(of(&one)?, of(&other)?);
    assert!(of(&request(&[("a", "2")])?)? != of(&one)?);
    let nul = driver(&request(&[("a", "\"\\u0000\"")])?, Program::EntryPoint("train.py"));
    assert!(nul.is_err_and(|error| error.to_string().contains("NUL")));
    assert!(plain_driver("../train.py").is_err());
    Ok(())
}
