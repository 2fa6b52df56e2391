//! Sessions, queues of SQS and parameters of SSM, by whole requests to a server on loopback.
use std::time::Duration;

use aws_config::{ConfigLoader, Region};
use aws_types::os_shim_internal::{Env, Fs};

use super::bridge::ffi::{Attribute, Message, ReceiveRequest};
use super::session::{LIMITS, Limits, Session, open_by};
use crate::credentials;
use crate::failure::{Code, Failure};
use crate::loopback::{End, Loopback, Request, Response};
use crate::retry;

pub const SECRET: &str = "s3cret-key";
const QUEUE: &str = "https://sqs.eu-west-1.amazonaws.com/111122223333/uploads";

fn limits() -> Limits {
    let wait = Duration::from_millis(1);
    Limits {
        tries_max: 3,
        first_wait: wait,
        longest_wait: wait,
        stall_timeout: Duration::from_secs(2),
        range: retry::Limits { tries_max: 4, first_wait: wait, longest_wait: wait, ..LIMITS.range },
        ..LIMITS
    }
}

/// Only what the test says: no variable, file or service of the machine.
fn sources(variables: &[(&str, &str)]) -> ConfigLoader {
    let mut all = vec![("AWS_EC2_METADATA_DISABLED", "true"), ("HOME", "/home/tester")];
    all.extend(variables);
    credentials::sources().env(Env::from_slice(&all)).fs(Fs::from_slice(&[]))
}

fn open(variables: &[(&str, &str)]) -> Result<Session, Failure> {
    open_by(sources(variables).region(Region::new("eu-west-1")), limits())
}

/// With all endpoints at `server`.
pub fn session(server: &Loopback) -> Session {
    open(&[
        ("AWS_ENDPOINT_URL", &server.endpoint),
        ("AWS_ACCESS_KEY_ID", "KEY"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ])
    .unwrap()
}

#[test]
fn a_session_needs_a_region() {
    for variables in [&[][..], &[("AWS_REGION", "")]] {
        let failure = open_by(sources(variables), limits()).err().unwrap();
        assert_eq!(failure.code, Code::Invalid);
        assert!(failure.text.contains("set AWS_REGION"), "{failure}");
    }
}

#[test]
fn a_session_without_credentials_is_told_at_the_first_request() {
    let failure = open(&[]).unwrap().read_parameter("/p").unwrap_err();
    assert_eq!(failure.code, Code::Invalid, "{failure}");
    assert!(failure.text.contains("AWS credentials"), "{failure}");
    assert!(failure.text.contains("parameter /p"), "{failure}");
}

#[test]
fn a_service_may_have_an_endpoint_of_its_own() {
    let s3 = Loopback::start(|_, _| Response::error(404, "NoSuchBucket", "no"));
    let others = Loopback::start(|_, _| json(200, r#"{"Parameter":{"Value":"v"}}"#));
    let session = open(&[
        ("AWS_ENDPOINT_URL", &others.endpoint),
        ("AWS_ENDPOINT_URL_S3", &s3.endpoint),
        ("AWS_ACCESS_KEY_ID", "KEY"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ])
    .unwrap();
    assert_eq!(session.list("uploads", "").next_page().unwrap_err().code, Code::NotFound);
    assert!(s3.seen()[0].target.starts_with("/uploads/?"), "{}", s3.seen()[0].target);
    assert_eq!(session.read_parameter("/p"), Ok("v".to_owned()));
    assert_eq!((s3.seen().len(), others.seen().len()), (1, 1));
}

#[test]
fn a_server_that_is_not_there_is_told() {
    // Nobody listens any more.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let session = open(&[
        ("AWS_ENDPOINT_URL", &format!("http://{gone}")),
        ("AWS_ACCESS_KEY_ID", "KEY"),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
    ])
    .unwrap();
    let failure = session.read_parameter("/p").unwrap_err();
    assert_eq!(failure.code, Code::Unavailable, "{failure}");
    assert!(!failure.text.contains(SECRET), "{failure}");
}

// Queues.

fn json(status: u16, body: &str) -> Response {
    Response::new(status, body).with("Content-Type", "application/x-amz-json-1.0")
}

fn json_error(status: u16, code: &str) -> Response {
    json(status, &format!(r#"{{"__type":"com.amazonaws.sqs#{code}","message":"no"}}"#))
}

fn asks_for(request: &Request, operation: &str) -> bool {
    request.header("x-amz-target").ends_with(&format!(".{operation}"))
}

const RECEIVE: ReceiveRequest = ReceiveRequest { messages_max: 10, wait_s: 20, visibility_s: 0 };

#[test]
fn messages_are_received() {
    let server = Loopback::start(|_, _| {
        json(
            200,
            r#"{"Messages":[
                {"MessageId":"m1","ReceiptHandle":"r1","Body":"{\"a\":1}",
                 "Attributes":{"ApproximateReceiveCount":"1"}},
                {"MessageId":"m2","ReceiptHandle":"r2","Body":"é",
                 "Attributes":{"ApproximateReceiveCount":"7"}}]}"#,
        )
    });
    let session = session(&server);
    let request = ReceiveRequest { visibility_s: 30, ..RECEIVE };
    let message = |number: i32, body: &str, receives| Message {
        id: format!("m{number}"),
        receipt: format!("r{number}"),
        body: body.to_owned(),
        receives,
    };
    let want = vec![message(1, r#"{"a":1}"#, 1), message(2, "é", 7)];
    assert_eq!(session.receive(QUEUE, &request), Ok(want));
    let seen = &server.seen()[0];
    assert!(asks_for(seen, "ReceiveMessage"), "{seen:?}");
    for part in [
        QUEUE,
        r#""MaxNumberOfMessages":10"#,
        r#""WaitTimeSeconds":20"#,
        r#""VisibilityTimeout":30"#,
        "ApproximateReceiveCount",
    ] {
        assert!(seen.body.contains(part), "{part} in {}", seen.body);
    }
}

#[test]
fn an_empty_queue_has_no_messages_and_its_own_visibility() {
    let server = Loopback::start(|_, _| json(200, "{}"));
    assert_eq!(session(&server).receive(QUEUE, &RECEIVE), Ok(vec![]));
    assert!(!server.seen()[0].body.contains("VisibilityTimeout"));
}

#[test]
fn messages_that_make_no_sense_are_told() {
    for body in [
        r#"{"Messages":[{"MessageId":"m1","ReceiptHandle":"r1","Body":"b"}]}"#,
        r#"{"Messages":[{"Body":"b","Attributes":{"ApproximateReceiveCount":"1"}}]}"#,
        r#"{"Messages":"#,
    ] {
        let server = Loopback::start(move |_, _| json(200, body));
        let failure = session(&server).receive(QUEUE, &RECEIVE).unwrap_err();
        assert_eq!(failure.code, Code::Corrupt, "{failure}");
        assert!(failure.text.contains(&format!("receiving from {QUEUE}")), "{failure}");
    }
}

#[test]
fn messages_are_hidden_removed_and_sent() {
    let server = Loopback::start(|_, request| {
        json(200, if asks_for(request, "SendMessage") { r#"{"MessageId":"m1"}"# } else { "{}" })
    });
    let session = session(&server);
    session.change_visibility(QUEUE, "r1", 0).unwrap();
    session.remove(QUEUE, "r2").unwrap();
    let reason = Attribute { name: "reason".to_owned(), value: "no header\u{1}".to_owned() };
    session.send(QUEUE, "as received", &[reason]).unwrap();
    let want: [(&str, &[&str]); 3] = [
        ("ChangeMessageVisibility", &[r#""ReceiptHandle":"r1""#, r#""VisibilityTimeout":0"#]),
        ("DeleteMessage", &[r#""ReceiptHandle":"r2""#]),
        (
            "SendMessage",
            &[
                r#""MessageBody":"as received""#,
                r#""reason":{"#,
                r#""StringValue":"no header?""#,
                r#""DataType":"String""#,
            ],
        ),
    ];
    for (request, (operation, parts)) in server.seen().iter().zip(want) {
        assert!(asks_for(request, operation), "{request:?}");
        assert!(request.body.contains(QUEUE), "{}", request.body);
        for part in parts {
            assert!(request.body.contains(part), "{part} in {}", request.body);
        }
    }
}

#[test]
fn refusals_of_a_queue_are_told_as_such() {
    for (status, code, want) in [
        (400, "QueueDoesNotExist", Code::NotFound),
        (400, "ReceiptHandleIsInvalid", Code::Refused),
        (403, "AccessDeniedException", Code::Refused),
        (400, "RequestThrottled", Code::Unavailable),
        (500, "InternalFailure", Code::Unavailable),
    ] {
        let server = Loopback::start(move |_, _| json_error(status, code));
        let session = session(&server);
        for failure in [
            session.receive(QUEUE, &RECEIVE).unwrap_err(),
            session.change_visibility(QUEUE, "r", 1).unwrap_err(),
            session.remove(QUEUE, "r").unwrap_err(),
            session.send(QUEUE, "b", &[]).unwrap_err(),
        ] {
            assert_eq!(failure.code, want, "{failure}");
            assert!(failure.text.contains(QUEUE), "{failure}");
            assert!(failure.text.contains(code), "{failure}");
            assert!(!failure.text.contains(SECRET), "{failure}");
        }
    }
}

#[test]
fn a_queue_that_is_throttled_is_asked_again() {
    let server = Loopback::start(|number, _| match number {
        0 => json_error(400, "RequestThrottled"),
        1 => json(200, "{}").ending(End::None),
        _ => json(200, "{}"),
    });
    assert_eq!(session(&server).receive(QUEUE, &RECEIVE), Ok(vec![]));
}

// Parameters.

#[test]
fn a_parameter_is_read_decrypted() {
    let server =
        Loopback::start(|_, _| json(200, r#"{"Parameter":{"Name":"/p","Value":"pa|ss\u00e9"}}"#));
    assert_eq!(session(&server).read_parameter("/meterline/password"), Ok("pa|ssé".to_owned()));
    let seen = &server.seen()[0];
    assert!(asks_for(seen, "GetParameter"), "{seen:?}");
    assert!(seen.body.contains(r#""Name":"/meterline/password""#), "{}", seen.body);
    assert!(seen.body.contains(r#""WithDecryption":true"#), "{}", seen.body);
}

#[test]
fn a_parameter_that_is_not_read_is_named_and_never_shown() {
    for (answer, want) in [
        (json_error(400, "ParameterNotFound"), Code::NotFound),
        (json_error(400, "AccessDeniedException"), Code::Refused),
        (json_error(400, "ThrottlingException"), Code::Unavailable),
        (json(200, r#"{"Parameter":{"Name":"/p"}}"#), Code::Corrupt),
        (json(200, r#"{"Parameter":{"Value":"pass-w0rd"},}"#), Code::Corrupt),
        (json(200, r#"{"Parameter":{"Value":"pass-w0rd""#), Code::Corrupt),
    ] {
        let server = Loopback::start(move |_, _| answer.clone());
        let failure = session(&server).read_parameter("/meterline/password").unwrap_err();
        assert_eq!(failure.code, want, "{failure}");
        assert!(failure.text.contains("parameter /meterline/password: "), "{failure}");
        assert!(!failure.text.contains("pass-w0rd"), "{failure}");
        assert!(!failure.text.contains(SECRET), "{failure}");
    }
}
