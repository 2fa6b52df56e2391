//! Region, credentials and endpoints, the clients made of them, and the threads they run on.
use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_types::service_config::ServiceConfigKey;

use crate::credentials;
use crate::failure::Failure;
use crate::retry;
use crate::threads::Threads;

/// How long and how often things are tried.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub tries_max: u32,
    pub first_wait: Duration,
    pub longest_wait: Duration,
    pub connect_timeout: Duration,
    /// To the beginning of an answer; above the 20 seconds that a queue may take.
    pub try_timeout: Duration,
    /// For a whole object that is put.
    pub put_timeout: Duration,
    /// Between two pieces of a body.
    pub stall_timeout: Duration,
    /// For a range of an object, where the SDK's own tries end.
    pub range: retry::Limits,
}

pub const LIMITS: Limits = Limits {
    tries_max: 5,
    first_wait: Duration::from_millis(200),
    longest_wait: Duration::from_secs(10),
    connect_timeout: Duration::from_secs(5),
    try_timeout: Duration::from_secs(30),
    put_timeout: Duration::from_secs(900),
    stall_timeout: Duration::from_secs(20),
    range: retry::Limits {
        tries_max: 6,
        first_wait: Duration::from_millis(200),
        longest_wait: Duration::from_secs(5),
        try_timeout: Duration::from_secs(300),
        deadline: Duration::from_secs(900),
        end: None,
    },
};

pub struct Session {
    pub threads: Arc<Threads>,
    pub limits: Limits,
    pub s3: aws_sdk_s3::Client,
    pub sqs: aws_sdk_sqs::Client,
    pub ssm: aws_sdk_ssm::Client,
}

pub fn open_session(region: &str) -> Result<Box<Session>, Failure> {
    let sources = credentials::sources();
    let sources = match region {
        // Not from the service of an instance: no request is made here.
        "" => sources.region(
            RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::new()),
        ),
        region => sources.region(Region::new(region.to_owned())),
    };
    open_by(sources, LIMITS).map(Box::new)
}

/// `sources`: of everything that is set up outside of the program, with a region.
pub fn open_by(sources: ConfigLoader, limits: Limits) -> Result<Session, Failure> {
    let threads = Threads::start("aws")?;
    let sources = sources
        .http_client(credentials::http_client())
        .retry_config(retries(&limits))
        .timeout_config(timeouts(&limits))
        // Ours are at each place that reads a body.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
    let config = threads.block_on(sources.load());
    if config.region().is_none_or(|region| region.as_ref().is_empty()) {
        return Err(Failure::invalid("no AWS region is set up; set AWS_REGION"));
    }
    Ok(Session {
        threads: Arc::new(threads),
        limits,
        s3: s3_client(&config),
        sqs: aws_sdk_sqs::Client::new(&config),
        ssm: aws_sdk_ssm::Client::new(&config),
    })
}

fn retries(limits: &Limits) -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(limits.tries_max)
        .with_initial_backoff(limits.first_wait)
        .with_max_backoff(limits.longest_wait)
}

fn timeouts(limits: &Limits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.connect_timeout)
        .read_timeout(limits.try_timeout)
        .operation_attempt_timeout(limits.try_timeout)
        .build()
}

fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config)
        // What stands in for S3 has no names of buckets in the DNS.
        .force_path_style(has_own_endpoint(config))
        // Checksums are those of whole objects or parts, and a range is neither.
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// By AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3, or the profile.
fn has_own_endpoint(config: &SdkConfig) -> bool {
    let key = ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    let of_s3 = || config.service_config()?.load_config(key.ok()?);
    config.endpoint_url().is_some() || of_s3().is_some()
}
