//! Parameters of Systems Manager.
use super::failure::failure_of;
use super::session::Session;
use crate::failure::Failure;

impl Session {
    /// Decrypted.
    pub fn read_parameter(&self, name: &str) -> Result<String, Failure> {
        let what = || format!("parameter {name}");
        let asked = self.ssm.get_parameter().name(name).with_decryption(true);
        let answer =
            self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        answer
            .parameter
            .and_then(|parameter| parameter.value)
            .ok_or_else(|| Failure::corrupt(format!("{}: the answer has no value", what())))
    }
}
