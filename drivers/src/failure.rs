//! What went wrong, as far as C++ and the retry policy act on it.
use std::error::Error;
use std::fmt;

use rustls::CertificateError;
use scylla::errors::{
    BadQuery, BrokenConnectionError, BrokenConnectionErrorKind, ConnectionError,
    ConnectionPoolError, ConnectionSetupRequestErrorKind, DbError, ExecutionError,
    IntoRowsResultError, MetadataError, MetadataFetchErrorKind, NewSessionError, PrepareError,
    RequestAttemptError, UseKeyspaceError,
};

use crate::tls::BadCertificate;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// May succeed later, unchanged.
    Unavailable,
    /// As that: the request's connection is gone, and another is made.
    ConnectionLost,
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
        matches!(self.code, Code::Unavailable | Code::ConnectionLost)
    }

    pub fn with_text(self, text: impl FnOnce(&str) -> String) -> Self {
        Failure { text: text(&self.text), ..self }
    }
}

/// The form in which core/guarded.h takes it apart: the code, `|`, the text.
impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.code {
            Code::Unavailable | Code::ConnectionLost => "unavailable",
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
            RequestAttemptError::BrokenConnectionError(error) => of_broken(&error),
            RequestAttemptError::UnableToAllocStreamId => {
                Failure::unavailable("too many requests are in flight on each connection")
            }
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
            ConnectionPoolError::Initializing => {
                Failure::unavailable("there is no connection to the node yet")
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

/// In our words: the driver's tell of its insides.
fn of_broken(error: &BrokenConnectionError) -> Failure {
    use BrokenConnectionErrorKind as Kind;
    let text = match error.downcast_ref::<Kind>() {
        Some(Kind::KeepaliveTimeout(node)) => {
            format!("the connection to {node} was given up: nobody answered on it for a while")
        }
        Some(Kind::WriteError(error)) => format!("the connection was lost: {error}"),
        Some(Kind::FrameHeaderParseError(error)) => format!("the connection was lost: {error}"),
        Some(Kind::KeepaliveRequestError(_) | Kind::ChannelError) | None => {
            String::from("the connection was lost")
        }
        Some(Kind::TooManyOrphanedStreamIds(count)) => {
            format!("the connection was given up: {count} requests on it were never answered")
        }
        Some(other) => format!("the connection was given up: {other}"),
    };
    Failure { code: Code::ConnectionLost, text }
}

fn of_connection(error: &ConnectionError) -> Failure {
    match error {
        ConnectionError::BrokenConnection(error) => of_broken(error),
        ConnectionError::ConnectTimeout => {
            Failure::unavailable("the node did not take the connection in time")
        }
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

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    #[test]
    fn lost_connections_are_told_in_our_words() {
        let node = IpAddr::V4(Ipv4Addr::LOCALHOST);
        for (kind, text) in [
            (
                BrokenConnectionErrorKind::KeepaliveTimeout(node),
                "the connection to 127.0.0.1 was given up: nobody answered on it for a while",
            ),
            (BrokenConnectionErrorKind::ChannelError, "the connection was lost"),
            (
                BrokenConnectionErrorKind::WriteError(std::io::ErrorKind::BrokenPipe.into()),
                "the connection was lost: broken pipe",
            ),
            (
                BrokenConnectionErrorKind::TooManyOrphanedStreamIds(1025),
                "the connection was given up: 1025 requests on it were never answered",
            ),
        ] {
            let attempt = RequestAttemptError::BrokenConnectionError(kind.into());
            let failure = Failure::from(attempt);
            assert_eq!(failure.text, text);
            assert!(failure.is_passing());
            assert_eq!(failure.to_string(), format!("unavailable|{text}"));
        }
        let timeout = of_connection(&ConnectionError::ConnectTimeout);
        assert_eq!(timeout.text, "the node did not take the connection in time");
        assert!(timeout.is_passing());
    }
}
