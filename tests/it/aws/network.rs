//! Networks between smtrain and AWS: gateways that decrypt TLS, proxies that refuse, clocks that are wrong.

use std::fs;
use std::path::Path;

use regex::Regex;
use serde_json::json;

use crate::support::{CommandOutput, Gateway, Sandbox, TestAccount, TestResult, Transcript};

const ROLE: &str = "arn:aws:iam::111122223333:role/R";
/// A certificate in form, but none in content.
const BROKEN: &str = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

fn on_aws() -> TestResult<(Sandbox, TestAccount)> {
    let (sandbox, tenant) = Sandbox::on_aws()?;
    fs::create_dir(sandbox.path("home/.aws"))?;
    tenant.jobs(&[json!({ "name": "done", "created": 1_732_334_455 })])?;
    Ok((sandbox, tenant))
}

fn write_config(sandbox: &Sandbox, text: &str) -> TestResult {
    Ok(fs::write(sandbox.path("home/.aws/config"), text)?)
}

/// A command with no trust but what the test gives, by way of a gateway that decrypts TLS.
fn describe(sandbox: &Sandbox, gateway: &Gateway, variables: &[(&str, &Path)]) -> TestResult<CommandOutput> {
    let command = sandbox.smtrain(&["describe", "done", "-o", "json"]).env("AWS_ENDPOINT_URL", gateway.https());
    let command = command.env_remove("REQUESTS_CA_BUNDLE").env("AWS_MAX_ATTEMPTS", "2");
    variables.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
}

#[test]
fn a_bundle_is_trusted_wherever_it_is_named() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let gateway = Gateway::start(&sandbox, &tenant, 200)?;
    let authority = gateway.authority();
    let nowhere = Path::new("/nowhere.pem");
    describe(&sandbox, &gateway, &[("AWS_CA_BUNDLE", &authority)])?.ok()?;
    describe(&sandbox, &gateway, &[("REQUESTS_CA_BUNDLE", &authority)])?.ok()?;
    // One that can't be read among others is skipped, as in the system's own bundle.
    let both = sandbox.path("both.pem");
    fs::write(&both, format!("# ours\n{BROKEN}{}", fs::read_to_string(&authority)?))?;
    describe(&sandbox, &gateway, &[("AWS_CA_BUNDLE", &both)])?.ok()?;
    write_config(&sandbox, &format!("[profile p]\nca_bundle = {}\n", authority.display()))?;
    let profile = Path::new("p");
    describe(&sandbox, &gateway, &[("AWS_PROFILE", profile), ("REQUESTS_CA_BUNDLE", nowhere)])?.ok()?;
    write_config(&sandbox, "[profile p]\nca_bundle = /nowhere.pem\n")?;
    describe(&sandbox, &gateway, &[("AWS_PROFILE", profile), ("AWS_CA_BUNDLE", &authority)])?.ok()?;
    Ok(())
}

/// STS, which gives a role's credentials, and SSO are reached by the same clients.
#[test]
fn a_bundle_is_trusted_for_credentials_too() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let gateway = Gateway::start(&sandbox, &tenant, 200)?;
    let [(_, id), ..] = tenant.environment();
    let role = ROLE.replace("111122223333", tenant.account());
    let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = secret\n");
    write_config(&sandbox, &format!("[profile base]\n{keys}[profile r]\nrole_arn = {role}\nsource_profile = base\n"))?;
    let run = |variables: &[(&str, &Path)]| -> TestResult<CommandOutput> {
        let command = sandbox.smtrain(&["describe", "done", "--profile", "r", "-o", "json"]);
        let command = command.env_remove("AWS_ENDPOINT_URL").env("HTTPS_PROXY", gateway.proxy());
        let command = command.env_remove("REQUESTS_CA_BUNDLE");
        variables.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
    };
    run(&[("AWS_CA_BUNDLE", &gateway.authority())])?.ok()?;
    let asked = gateway.asked()?;
    assert!(asked.contains("CONNECT sts.") && asked.contains("CONNECT api.sagemaker."), "{asked}");
    let said = run(&[])?.expect(1)?;
    insta::assert_snapshot!(said.snapshot(sandbox.root())?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: could not describe job done: could not get AWS credentials: the service's certificate is not trusted: invalid peer certificate: UnknownIssuer
    hint: where a proxy or a gateway decrypts the traffic, its authority must be known: set AWS_CA_BUNDLE, or `ca_bundle` of the profile, to a PEM file with the authority's certificate, or add it to that file
    ");
    Ok(())
}

#[test]
fn a_bundle_that_is_no_use_is_an_error() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let gateway = Gateway::start(&sandbox, &tenant, 200)?;
    let mut all = Transcript::default();
    all.add("unknown issuer", &describe(&sandbox, &gateway, &[])?.expect(1)?);
    fs::write(sandbox.path("empty.pem"), "")?;
    fs::write(sandbox.path("broken.pem"), BROKEN)?;
    fs::write(sandbox.path("cut.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n")?;
    fs::write(sandbox.path("binary.pem"), b"\xff\xfe")?;
    fs::create_dir(sandbox.path("folder"))?;
    for name in ["none.pem", "empty.pem", "broken.pem", "cut.pem", "binary.pem", "folder"] {
        for variable in ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
            let said = describe(&sandbox, &gateway, &[(variable, &sandbox.path(name))])?.expect(1)?;
            all.add(format!("{variable} {name}"), &said);
        }
    }
    write_config(&sandbox, "[default]\n\nca_bundle = none.pem\n")?;
    all.add("ca_bundle", &describe(&sandbox, &gateway, &[])?.expect(1)?);
    write_config(&sandbox, "")?;
    // What is set to nothing is not set.
    all.add("an empty variable", &describe(&sandbox, &gateway, &[("AWS_CA_BUNDLE", Path::new(""))])?.expect(1)?);
    insta::assert_snapshot!(all.snapshot(sandbox.root())?, @r"
    ## unknown issuer
    exit code: 1
    --- stderr
    error: could not describe job done: the service's certificate is not trusted: invalid peer certificate: UnknownIssuer
    hint: where a proxy or a gateway decrypts the traffic, its authority must be known: set AWS_CA_BUNDLE, or `ca_bundle` of the profile, to a PEM file with the authority's certificate, or add it to that file
    ## AWS_CA_BUNDLE none.pem
    exit code: 1
    --- stderr
    error: there is no file [SANDBOX]/none.pem
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE none.pem
    exit code: 1
    --- stderr
    error: there is no file [SANDBOX]/none.pem
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## AWS_CA_BUNDLE empty.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/empty.pem has no certificate in PEM form that can be read
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE empty.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/empty.pem has no certificate in PEM form that can be read
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## AWS_CA_BUNDLE broken.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/broken.pem has no certificate in PEM form that can be read
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE broken.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/broken.pem has no certificate in PEM form that can be read
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## AWS_CA_BUNDLE cut.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/cut.pem has no certificate in PEM form that can be read
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE cut.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/cut.pem has no certificate in PEM form that can be read
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## AWS_CA_BUNDLE binary.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/binary.pem is not UTF-8 text
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE binary.pem
    exit code: 1
    --- stderr
    error: [SANDBOX]/binary.pem is not UTF-8 text
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## AWS_CA_BUNDLE folder
    exit code: 1
    --- stderr
    error: [SANDBOX]/folder is a folder, not a file
    hint: AWS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## REQUESTS_CA_BUNDLE folder
    exit code: 1
    --- stderr
    error: [SANDBOX]/folder is a folder, not a file
    hint: REQUESTS_CA_BUNDLE names it: set it to a PEM file with the certificates that your network needs
    ## ca_bundle
    exit code: 1
    --- stderr
    error: there is no file none.pem
    hint: ca_bundle ([SANDBOX]/home/.aws/config, line 3, profile default) names it: set it to a PEM file with the certificates that your network needs
    ## an empty variable
    exit code: 1
    --- stderr
    error: could not describe job done: the service's certificate is not trusted: invalid peer certificate: UnknownIssuer
    hint: where a proxy or a gateway decrypts the traffic, its authority must be known: set AWS_CA_BUNDLE, or `ca_bundle` of the profile, to a PEM file with the authority's certificate, or add it to that file
    ");
    Ok(())
}

#[test]
fn a_proxy_that_refuses_is_named_without_its_password() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let mut all = Transcript::default();
    for status in [403, 407] {
        let gateway = Gateway::start(&sandbox, &tenant, status)?;
        for variable in ["HTTPS_PROXY", "ALL_PROXY"] {
            let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ENDPOINT_URL");
            let said = command.env(variable, gateway.proxy()).run()?.expect(1)?;
            all.add(format!("{variable} {status}"), &said);
        }
        // It was not asked ten times.
        assert_eq!(gateway.asked()?.lines().count(), 2, "{}", gateway.asked()?);
    }
    let command = sandbox.smtrain(&["describe", "done"]).env_remove("AWS_ENDPOINT_URL").env("AWS_MAX_ATTEMPTS", "1");
    let said = command.env("https_proxy", "http://me:hidden@127.0.0.1:9").run()?.expect(1)?;
    all.add("https_proxy where nothing listens", &said);
    let text = all.snapshot(sandbox.root())?;
    assert!(!text.contains("hidden"), "{text}");
    insta::assert_snapshot!(text, @r"
    ## HTTPS_PROXY 403
    exit code: 1
    --- stderr
    error: could not describe job done: the proxy http://127.0.0.1:[PORT] (HTTPS_PROXY) refuses to connect to api.sagemaker.eu-west-1.amazonaws.com
    hint: ask for the proxy to allow this host
    hint: or name the hosts that need no proxy in NO_PROXY: .amazonaws.com
    ## ALL_PROXY 403
    exit code: 1
    --- stderr
    error: could not describe job done: the proxy http://127.0.0.1:[PORT] (ALL_PROXY) refuses to connect to api.sagemaker.eu-west-1.amazonaws.com
    hint: ask for the proxy to allow this host
    hint: or name the hosts that need no proxy in NO_PROXY: .amazonaws.com
    ## HTTPS_PROXY 407
    exit code: 1
    --- stderr
    error: could not describe job done: the proxy http://127.0.0.1:[PORT] (HTTPS_PROXY) asks for a user and a password (HTTP status 407)
    hint: set HTTPS_PROXY to an address with them: http://USER:PASSWORD@HOST:PORT
    hint: or name the hosts that need no proxy in NO_PROXY: .amazonaws.com
    ## ALL_PROXY 407
    exit code: 1
    --- stderr
    error: could not describe job done: the proxy http://127.0.0.1:[PORT] (ALL_PROXY) asks for a user and a password (HTTP status 407)
    hint: set ALL_PROXY to an address with them: http://USER:PASSWORD@HOST:PORT
    hint: or name the hosts that need no proxy in NO_PROXY: .amazonaws.com
    ## https_proxy where nothing listens
    exit code: 1
    --- stderr
    error: could not describe job done: the proxy http://127.0.0.1:9 (https_proxy) can't be reached: Connection refused (os error 111)
    hint: check the address in https_proxy
    hint: or name the hosts that need no proxy in NO_PROXY: .amazonaws.com
    ");
    Ok(())
}

/// Without the times that a signature's error tells.
fn without_times(text: &str) -> TestResult<String> {
    Ok(Regex::new(r"\d{8}T\d{6}Z")?.replace_all(text, "[SIGNED]").into_owned())
}

#[test]
fn a_wrong_clock_is_told_with_its_minutes() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    tenant.make_bucket("bucket")?;
    let mut all = Transcript::default();
    for (seconds, operation, arguments) in [
        (37 * 60, "DescribeTrainingJob", &["describe", "done"][..]),
        (-86_400, "DescribeTrainingJob", &["describe", "done"]),
        (20 * 60, "GetObject", &["download", "s3://bucket/model.txt"]),
        (20 * 60, "HeadObject", &["download", "s3://bucket/model.txt"]),
        (-20 * 60, "ListObjectsV2", &["download", "--list", "s3://bucket/model"]),
    ] {
        tenant.put_object("bucket", "model.txt", b"model")?;
        tenant.clear_rules()?;
        tenant.rule(
            &json!({ "fault": "wrong_clock", "operation": operation, "seconds": seconds, "is_stubborn": true }),
        )?;
        let said = sandbox.smtrain(arguments).env("AWS_MAX_ATTEMPTS", "2").run()?;
        all.add(format!("{operation} {seconds}"), &said);
    }
    insta::assert_snapshot!(without_times(&all.snapshot(sandbox.root())?)?, @r"
    ## DescribeTrainingJob 2220
    exit code: 1
    --- stderr
    error: could not describe job done: this computer's clock is 37 minutes behind AWS's: Signature expired: [SIGNED] is now earlier than [SIGNED] ([SIGNED] - 5 min.) (InvalidSignatureException)
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ## DescribeTrainingJob -86400
    exit code: 1
    --- stderr
    error: could not describe job done: this computer's clock is 1440 minutes ahead of AWS's: Signature not yet current: [SIGNED] is still later than [SIGNED] ([SIGNED] + 5 min.) (InvalidSignatureException)
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ## GetObject 1200
    exit code: 1
    --- stderr
    error: could not fetch s3://bucket/model.txt: this computer's clock is 20 minutes behind AWS's: The difference between the request time and the current time is too large. (RequestTimeTooSkewed)
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ## HeadObject 1200
    exit code: 1
    --- stderr
    error: could not look up s3://bucket/model.txt: this computer's clock is 20 minutes behind AWS's
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ## ListObjectsV2 -1200
    exit code: 1
    --- stderr
    error: could not list what lies below s3://bucket/model/: this computer's clock is 20 minutes ahead of AWS's: The difference between the request time and the current time is too large. (RequestTimeTooSkewed)
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ");
    Ok(())
}

/// The services of the query protocol, and a role's credentials.
#[test]
fn a_wrong_clock_is_told_by_sts_too() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    let [(_, id), ..] = tenant.environment();
    let role = ROLE.replace("111122223333", tenant.account());
    let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = secret\n");
    write_config(&sandbox, &format!("[profile base]\n{keys}[profile r]\nrole_arn = {role}\nsource_profile = base\n"))?;
    tenant.rule(&json!({ "fault": "wrong_clock", "service": "sts", "seconds": -600, "is_stubborn": true }))?;
    let said = sandbox.smtrain(&["describe", "done", "--profile", "r"]).run()?.expect(1)?;
    insta::assert_snapshot!(without_times(&said.snapshot(sandbox.root())?)?, @r"
    exit code: 1
    --- stdout
    --- stderr
    error: could not describe job done: could not get AWS credentials: this computer's clock is 10 minutes ahead of AWS's: Signature not yet current: [SIGNED] is still later than [SIGNED] ([SIGNED] + 5 min.) (SignatureDoesNotMatch)
    hint: set the clock by the network's time: sudo timedatectl set-ntp true
    hint: or compare it by hand: date -u
    ");
    Ok(())
}

/// The SDK signs again with the service's time.
#[test]
fn a_wrong_clock_is_corrected() -> TestResult {
    let (sandbox, tenant) = on_aws()?;
    for seconds in [37 * 60, -86_400] {
        tenant.clear_rules()?;
        tenant.rule(&json!({ "fault": "wrong_clock", "service": "sagemaker", "seconds": seconds }))?;
        sandbox.smtrain(&["describe", "done", "-o", "json"]).run()?.ok()?;
    }
    Ok(())
}
