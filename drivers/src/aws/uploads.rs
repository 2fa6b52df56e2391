//! Objects that are put and removed.
use aws_sdk_s3::config::Config;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_smithy_types::base64;

use super::bridge::ffi::PutRequest;
use super::failure::failure_of;
use super::session::Session;
use crate::failure::Failure;

impl Session {
    pub fn put_file(&self, request: &PutRequest, path: &str) -> Result<(), Failure> {
        let what = what_of(request);
        let body = self.threads.block_on(ByteStream::from_path(path));
        let body = body.map_err(|error| Failure::unavailable(format!("{what}: {error}")))?;
        self.put(request, body)
    }

    pub fn put_bytes(&self, request: &PutRequest, bytes: &[u8]) -> Result<(), Failure> {
        self.put(request, ByteStream::from(bytes.to_vec()))
    }

    pub fn remove_object(&self, bucket: &str, key: &str) -> Result<(), Failure> {
        let asked = self.s3.delete_object().bucket(bucket).key(key);
        let what = || format!("removing s3://{bucket}/{key}");
        self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        Ok(())
    }

    fn put(&self, request: &PutRequest, body: ByteStream) -> Result<(), Failure> {
        // The answer comes behind all of the body.
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.limits.connect_timeout)
            .read_timeout(self.limits.put_timeout)
            .operation_attempt_timeout(self.limits.put_timeout)
            .build();
        let asked = self
            .s3
            .put_object()
            .bucket(&request.bucket)
            .key(&request.key)
            .checksum_crc32_c(base64::encode(request.crc32c.to_be_bytes()))
            .body(body)
            .customize()
            .config_override(Config::builder().timeout_config(timeouts));
        let what = || what_of(request);
        self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        Ok(())
    }
}

fn what_of(request: &PutRequest) -> String {
    format!("putting s3://{}/{}", request.bucket, request.key)
}
