//! Credentials from the services that give a role: an instance's metadata, and STS for a web
//! identity. Each answer has a new key, KEY-1, KEY-2, ...
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::ConfigLoader;
use chrono::{DateTime, Utc};

use crate::credentials::Held;
use crate::login_test::{known, log_in, sources};
use crate::loopback::{Loopback, Request, Response};

const HOUR: Duration = Duration::from_secs(3600);
/// Less than credentials are renewed before they expire.
const SHORT: Duration = Duration::from_secs(299);

fn expiry(lifetime: Duration) -> String {
    DateTime::<Utc>::from(SystemTime::now() + lifetime).format("%FT%TZ").to_string()
}

/// The metadata of an instance, version 2: it wants its token.
fn instance(lifetime: Duration) -> Loopback {
    const ROLE: &str = "/latest/meta-data/iam/security-credentials/";
    let answers = AtomicU32::new(0);
    Loopback::start(move |_, request| {
        if (request.method.as_str(), request.target.as_str()) == ("PUT", "/latest/api/token") {
            let seconds = request.header("x-aws-ec2-metadata-token-ttl-seconds").to_owned();
            return Response::new(200, "t0ken")
                .with("x-aws-ec2-metadata-token-ttl-seconds", seconds);
        }
        if request.header("x-aws-ec2-metadata-token") != "t0ken" {
            return Response::new(401, "");
        }
        match request.target.strip_prefix(ROLE) {
            Some("") => Response::new(200, "loader"),
            Some("loader") => {
                let number = answers.fetch_add(1, Ordering::Relaxed) + 1;
                let expiry = expiry(lifetime);
                Response::new(
                    200,
                    format!(
                        r#"{{"Code":"Success","Type":"AWS-HMAC","LastUpdated":"2019-01-31T06:00:00Z",
                        "AccessKeyId":"KEY-{number}","SecretAccessKey":"secret-{number}",
                        "Token":"token-{number}","Expiration":"{expiry}"}}"#
                    ),
                )
            }
            _ => Response::new(404, ""),
        }
    })
}

fn of_instance(server: &Loopback) -> ConfigLoader {
    let variables = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &server.endpoint),
    ];
    sources(&variables, &[])
}

fn asks_for_role(request: &Request) -> bool {
    ["Action=AssumeRoleWithWebIdentity", "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Floader"]
        .iter()
        .all(|part| request.body.contains(part))
}

/// STS, for those who bring the token of the web identity.
fn web_identity(lifetime: Duration) -> Loopback {
    let answers = AtomicU32::new(0);
    Loopback::start(move |_, request| {
        if !asks_for_role(request) || !request.body.contains("WebIdentityToken=w3b-identity") {
            return Response::new(
                400,
                "<ErrorResponse><Error><Code>InvalidIdentityToken</Code>\
                 <Message>no such token</Message></Error></ErrorResponse>",
            );
        }
        let number = answers.fetch_add(1, Ordering::Relaxed) + 1;
        let expiry = expiry(lifetime);
        Response::new(
            200,
            format!(
                "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>\
                 <AccessKeyId>KEY-{number}</AccessKeyId>\
                 <SecretAccessKey>secret-{number}</SecretAccessKey>\
                 <SessionToken>token-{number}</SessionToken><Expiration>{expiry}</Expiration>\
                 </Credentials></AssumeRoleWithWebIdentityResult>\
                 </AssumeRoleWithWebIdentityResponse>"
            ),
        )
    })
}

fn of_web_identity(server: &Loopback, token: &str) -> ConfigLoader {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "/run/token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/loader"),
        ("AWS_ENDPOINT_URL_STS", &server.endpoint),
    ];
    sources(&variables, &[("/run/token", token)])
}

/// The keys of two logins in a row.
async fn keys(sources: ConfigLoader) -> [String; 2] {
    let held = Held::from(sources, "eu-west-1").await.unwrap();
    let first = held.current().await.unwrap();
    let second = held.current().await.unwrap();
    [first, second].map(|credentials| credentials.access_key_id().to_owned())
}

fn key_logged_in(sources: ConfigLoader) -> String {
    let accepted = vec![known("KEY-1", "secret-1", Some("token-1"))];
    log_in(accepted, sources).unwrap().remove(0)
}

#[test]
fn credentials_come_from_an_instance() {
    assert_eq!(key_logged_in(of_instance(&instance(HOUR))), "KEY-1");
}

#[test]
fn credentials_come_from_a_web_identity() {
    let server = web_identity(HOUR);
    assert_eq!(key_logged_in(of_web_identity(&server, "w3b-identity")), "KEY-1");
}

#[tokio::test]
async fn credentials_of_an_instance_are_renewed_before_they_expire() {
    assert_eq!(keys(of_instance(&instance(HOUR))).await, ["KEY-1", "KEY-1"]);
    assert_eq!(keys(of_instance(&instance(SHORT))).await, ["KEY-1", "KEY-2"]);
}

#[tokio::test]
async fn credentials_of_a_web_identity_are_renewed_before_they_expire() {
    for (lifetime, want) in [(HOUR, ["KEY-1", "KEY-1"]), (SHORT, ["KEY-1", "KEY-2"])] {
        let server = web_identity(lifetime);
        assert_eq!(keys(of_web_identity(&server, "w3b-identity")).await, want);
    }
}

#[test]
fn a_web_identity_that_is_refused_is_told_and_not_shown() {
    let server = web_identity(HOUR);
    let failure = log_in(vec![], of_web_identity(&server, "wr0ng-identity")).unwrap_err();
    assert!(failure.text.contains("AWS credentials"), "{failure}");
    assert!(failure.text.contains("InvalidIdentityToken"), "{failure}");
    assert!(!failure.text.contains("wr0ng-identity"), "{failure}");
}
