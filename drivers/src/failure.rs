//! What went wrong, as far as C++ and the retry policy act on it.
use std::error::Error;
use std::fmt;

use rustls::CertificateError;
use scylla::errors::{
    BadQuery, ConnectionError, ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError,
    ExecutionError, IntoRowsResultError, MetadataError, MetadataFetchErrorKind, NewSessionError,
    PrepareError, RequestAttemptError, UseKeyspaceError,
};

use crate::tls::BadCertificate;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// May succeed later, unchanged.
    Unavailable,
    /// The cluster, or a check before it, refuses this.
    Invalid,
    /// It is not there.
    NotFound,
    /// AWS denies it, or takes the request for wrong.
    Refused,
    /// An answer is not what it should be.
    Corrupt,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    pub text: String,
}

impl Failure {
    pub fn unavailable(text: impl Into<String>) -> Self {
        Failure { code: Code::Unavailable, text: text.into() }
    }

    pub fn invalid(text: impl Into<String>) -> Self {
        Failure { code: Code::Invalid, text: text.into() }
    }

    pub fn not_found(text: impl Into<String>) -> Self {
        Failure { code: Code::NotFound, text: text.into() }
    }

    pub fn refused(text: impl Into<String>) -> Self {
        Failure { code: Code::Refused, text: text.into() }
    }

    pub fn corrupt(text: impl Into<String>) -> Self {
        Failure { code: Code::Corrupt, text: text.into() }
    }

    /// Whether another try may help.
    pub fn is_passing(&self) -> bool {
        self.code == Code::Unavailable
    }

    pub fn with_text(self, text: impl FnOnce(&str) -> String) -> Self {
        Failure { text: text(&self.text), ..self }
    }
}

/// The form in which core/guarded.h takes it apart: the code, `|`, the text.
impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.code {
            Code::Unavailable => "unavailable",
            Code::Invalid => "invalid",
            Code::NotFound => "not_found",
            Code::Refused => "refused",
            Code::Corrupt => "corrupt",
        };
        write!(out, "{code}|{}", self.text)
    }
}

impl Error for Failure {}

/// What an error says, and what those behind it say.
pub fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(&format!(": {error}"));
        source = error.source();
    }
    text
}

impl From<ExecutionError> for Failure {
    fn from(error: ExecutionError) -> Self {
        match error {
            ExecutionError::LastAttemptError(error) => error.into(),
            ExecutionError::ConnectionPoolError(error) => error.into(),
            ExecutionError::PrepareError(error) => error.into(),
            ExecutionError::UseKeyspaceError(UseKeyspaceError::RequestError(error)) => error.into(),
            ExecutionError::EmptyPlan => {
                Failure::unavailable("no node of the data centre is known or up")
            }
            ExecutionError::BadQuery(BadQuery::SerializationError(error)) => {
                Failure::invalid(error.to_string())
            }
            ExecutionError::BadQuery(error) => Failure::invalid(error.to_string()),
            other => Failure::unavailable(other.to_string()),
        }
    }
}

impl From<PrepareError> for Failure {
    fn from(error: PrepareError) -> Self {
        match error {
            PrepareError::ConnectionPoolError(error) => error.into(),
            PrepareError::AllAttemptsFailed { first_attempt, .. } => first_attempt.into(),
            other => Failure::unavailable(other.to_string()),
        }
    }
}

impl From<RequestAttemptError> for Failure {
    fn from(error: RequestAttemptError) -> Self {
        match error {
            RequestAttemptError::DbError(error, reason) => of_server(&error, &reason),
            RequestAttemptError::BrokenConnectionError(_)
            | RequestAttemptError::UnableToAllocStreamId => Failure::unavailable(error.to_string()),
            RequestAttemptError::SerializationError(_)
            | RequestAttemptError::CqlRequestSerialization(_)
            | RequestAttemptError::RepreparedIdChanged { .. } => {
                Failure::invalid(error.to_string())
            }
            other => Failure::corrupt(other.to_string()),
        }
    }
}

impl From<IntoRowsResultError> for Failure {
    fn from(error: IntoRowsResultError) -> Self {
        match error {
            IntoRowsResultError::ResultNotRows(_) => {
                Failure::invalid("the statement returns no rows")
            }
            other => Failure::corrupt(other.to_string()),
        }
    }
}

impl From<NewSessionError> for Failure {
    fn from(error: NewSessionError) -> Self {
        match error {
            NewSessionError::MetadataError(error) => error.into(),
            NewSessionError::FailedToResolveAnyHostname(names) => Failure::unavailable(format!(
                "no address is known for {}; check the names and the name server",
                names.join(", ")
            )),
            NewSessionError::EmptyKnownNodesList => Failure::invalid("no node is given"),
            NewSessionError::IllegalConfig(text) => Failure::invalid(text),
            other => Failure::unavailable(other.to_string()),
        }
    }
}

impl From<MetadataError> for Failure {
    fn from(error: MetadataError) -> Self {
        match error {
            MetadataError::ConnectionPoolError(error) => error.into(),
            MetadataError::FetchError(error) => match error.error {
                MetadataFetchErrorKind::PrepareError(attempt) => attempt.into(),
                kind => Failure::unavailable(format!("reading {}: {kind}", error.table)),
            },
            other => Failure::unavailable(other.to_string()),
        }
    }
}

impl From<ConnectionPoolError> for Failure {
    fn from(error: ConnectionPoolError) -> Self {
        match error {
            ConnectionPoolError::Broken { last_connection_error, .. } => {
                of_connection(&last_connection_error)
            }
            other => Failure::unavailable(other.to_string()),
        }
    }
}

fn of_server(error: &DbError, reason: &str) -> Failure {
    let text = match reason {
        "" => error.to_string(),
        reason => format!("{error}: {reason}"),
    };
    match error {
        // Cassandra answers so as well when its own table of logins cannot be read now.
        DbError::AuthenticationError if reason.starts_with("Unable to perform") => {
            Failure::unavailable(text)
        }
        DbError::SyntaxError
        | DbError::Invalid
        | DbError::AlreadyExists { .. }
        | DbError::FunctionFailure { .. }
        | DbError::AuthenticationError
        | DbError::Unauthorized
        | DbError::ConfigError
        | DbError::ProtocolError => Failure::invalid(text),
        _ => Failure::unavailable(text),
    }
}

fn of_connection(error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::IoError(error) => of_io(error),
        ConnectionError::ConnectionSetupRequestError(error) => match error.get_error() {
            ConnectionSetupRequestErrorKind::DbError(error, reason) => of_server(error, reason),
            ConnectionSetupRequestErrorKind::MissingAuthentication => {
                Failure::invalid("the cluster wants a login, and no user is given")
            }
            ConnectionSetupRequestErrorKind::StartAuthSessionError(text)
            | ConnectionSetupRequestErrorKind::AuthChallengeEvaluationError(text) => {
                Failure::unavailable(text)
            }
            other => Failure::unavailable(other.to_string()),
        },
        other => Failure::unavailable(other.to_string()),
    }
}

fn of_io(error: &std::io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => of_tls(error),
        None => Failure::unavailable(error.to_string()),
    }
}

fn of_tls(error: &rustls::Error) -> Failure {
    if let rustls::Error::InvalidCertificate(CertificateError::Other(inner)) = error
        && let Some(bad) = inner.0.downcast_ref::<BadCertificate>()
    {
        return Failure::invalid(bad.to_string());
    }
    match error {
        rustls::Error::InvalidMessage(_) => {
            Failure::invalid(format!("the node does not speak TLS on this port ({error})"))
        }
        other => Failure::invalid(format!("TLS: {other}")),
    }
}
