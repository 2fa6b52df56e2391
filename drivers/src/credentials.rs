//! Credentials of AWS: environment, profile, web identity, container, instance, in this order.
use std::time::{Duration, SystemTime};

use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::Mutex;

use crate::failure::{Failure, with_sources};

/// Credentials are renewed when they expire so soon.
const RENEWED_BEFORE: Duration = Duration::from_secs(300);

/// The sources of this process, as users of AWS know them.
pub fn sources() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
}

/// The client of all requests to AWS.
pub fn http_client() -> SharedHttpClient {
    Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https()
}

/// Credentials that are kept until they are about to expire.
pub struct Held {
    provider: SharedCredentialsProvider,
    last: Mutex<Option<Credentials>>,
}

impl Held {
    pub async fn from(sources: ConfigLoader, region: &str) -> Result<Self, Failure> {
        let config =
            sources.region(Region::new(region.to_owned())).http_client(http_client()).load().await;
        let provider = config
            .credentials_provider()
            .ok_or_else(|| Failure::invalid("no source of AWS credentials is set up"))?;
        Ok(Held { provider, last: Mutex::default() })
    }

    pub async fn current(&self) -> Result<Credentials, Failure> {
        let mut last = self.last.lock().await;
        if let Some(held) = &*last
            && !expires_before(held, SystemTime::now() + RENEWED_BEFORE)
        {
            return Ok(held.clone());
        }
        match (self.provider.provide_credentials().await, &*last) {
            (Ok(new), _) => Ok(last.insert(new).clone()),
            (Err(_), Some(held)) if !expires_before(held, SystemTime::now()) => Ok(held.clone()),
            (Err(error), _) => Err(failure_of(&error)),
        }
    }
}

fn expires_before(credentials: &Credentials, time: SystemTime) -> bool {
    credentials.expiry().is_some_and(|expiry| expiry < time)
}

pub fn failure_of(error: &CredentialsError) -> Failure {
    let text = format!("AWS credentials: {}", with_sources(error));
    match error {
        CredentialsError::CredentialsNotLoaded(_) => Failure::invalid(format!(
            "{text}; none are in the environment, a profile, a container or an instance's role"
        )),
        CredentialsError::InvalidConfiguration(_) => Failure::invalid(text),
        _ => Failure::unavailable(text),
    }
}
