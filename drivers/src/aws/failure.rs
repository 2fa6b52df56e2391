//! What went wrong in a request to AWS.
use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::credentials;
use crate::failure::{Code, Failure, with_sources};

/// Of what a service says of an error.
const TEXT_BYTES_MAX: usize = 1000;

/// Codes of errors whose status, 400, says little.
const NOT_FOUND: [&str; 4] = [
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
    "ParameterNotFound",
    "ParameterVersionNotFound",
];
const PASSING: [&str; 8] = [
    "InternalError",
    "InternalServerError",
    "KmsThrottled",
    "RequestThrottled",
    "RequestTimeout",
    "SlowDown",
    "ThrottlingException",
    "TooManyUpdates",
];

/// `what` was asked for: it begins the text.
pub fn failure_of<E>(what: &str, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let failure = match error {
        SdkError::ServiceError(refusal) => of_service(refusal.err(), refusal.raw()),
        // It came whole.
        SdkError::ResponseError(answer) if answer.raw().body().bytes().is_some() => {
            senseless(error)
        }
        SdkError::ResponseError(_) => Failure::unavailable(with_sources(error)),
        SdkError::TimeoutError(_) => Failure::unavailable("no answer in time"),
        SdkError::DispatchFailure(cut) if cut.is_timeout() => {
            Failure::unavailable("no connection in time")
        }
        _ => of_set_up(error),
    };
    failure.with_text(|text| format!("{what}: {text}"))
}

/// The HTTP status of an answer, if there was one.
pub fn status_of<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

fn of_service<E>(error: &E, response: &HttpResponse) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let status = response.status().as_u16();
    let code = error.code().unwrap_or_default();
    if (200..300).contains(&status) {
        return senseless(error);
    }
    let text = text_of(code, error.message().unwrap_or_default(), status);
    if status == 404 || NOT_FOUND.contains(&code) {
        return Failure::not_found(text);
    }
    if status >= 500 || status == 429 || PASSING.contains(&code) {
        return Failure::unavailable(text);
    }
    match response.headers().get("x-amz-bucket-region") {
        Some(region) if (300..400).contains(&status) => {
            let region = printable(region);
            Failure::refused(format!("{text}; the bucket is in {region}: set AWS_REGION"))
        }
        _ => Failure::refused(text),
    }
}

fn senseless(error: &dyn Error) -> Failure {
    Failure::corrupt(printable(&format!("the answer makes no sense: {}", with_sources(error))))
}

/// `AccessDenied: You may not (HTTP 403)`
fn text_of(code: &str, message: &str, status: u16) -> String {
    let words: Vec<_> =
        [code, message].into_iter().filter(|word| !word.is_empty()).map(printable).collect();
    match &words[..] {
        [] => format!("HTTP {status}"),
        words => format!("{} (HTTP {status})", words.join(": ")),
    }
}

/// Bounded, and on one line.
fn printable(text: &str) -> String {
    let end = text.floor_char_boundary(TEXT_BYTES_MAX);
    text[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Nothing was sent, or nothing came back.
fn of_set_up<E: Error + 'static>(error: &SdkError<E, HttpResponse>) -> Failure {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(error) = inner.downcast_ref::<CredentialsError>() {
            return credentials::failure_of(error);
        }
        source = inner.source();
    }
    let code = match error {
        SdkError::ConstructionFailure(_) => Code::Invalid,
        _ => Code::Unavailable,
    };
    Failure { code, text: printable(&with_sources(error)) }
}
