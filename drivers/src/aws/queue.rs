//! Queues of SQS.
use aws_sdk_sqs::error::BuildError;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};

use super::bridge::ffi::{Attribute, Message, ReceiveRequest};
use super::failure::failure_of;
use super::session::Session;
use crate::failure::Failure;

impl Session {
    pub fn receive(&self, queue: &str, request: &ReceiveRequest) -> Result<Vec<Message>, Failure> {
        let count = MessageSystemAttributeName::ApproximateReceiveCount;
        let visibility = Some(request.visibility_s).filter(|seconds| *seconds > 0);
        let asked = self
            .sqs
            .receive_message()
            .queue_url(queue)
            .max_number_of_messages(request.messages_max)
            .wait_time_seconds(request.wait_s)
            .set_visibility_timeout(visibility)
            .message_system_attribute_names(count.clone());
        let what = format!("receiving from {queue}");
        let answer =
            self.threads.block_on(asked.send()).map_err(|error| failure_of(&what, &error))?;
        let messages = answer.messages.unwrap_or_default().into_iter().map(|message| {
            let attributes = message.attributes.unwrap_or_default();
            let receives = attributes.get(&count).and_then(|text| text.parse().ok());
            Ok(Message {
                id: message.message_id.unwrap_or_default(),
                receipt: message.receipt_handle.ok_or("has no receipt")?,
                body: message.body.unwrap_or_default(),
                receives: receives.ok_or("does not say how often it was received")?,
            })
        });
        messages
            .collect::<Result<_, &str>>()
            .map_err(|text| Failure::corrupt(format!("{what}: a message {text}")))
    }

    pub fn change_visibility(
        &self,
        queue: &str,
        receipt: &str,
        visibility_s: i32,
    ) -> Result<(), Failure> {
        let asked = self
            .sqs
            .change_message_visibility()
            .queue_url(queue)
            .receipt_handle(receipt)
            .visibility_timeout(visibility_s);
        let what = || format!("hiding a message of {queue}");
        self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        Ok(())
    }

    pub fn remove(&self, queue: &str, receipt: &str) -> Result<(), Failure> {
        let asked = self.sqs.delete_message().queue_url(queue).receipt_handle(receipt);
        let what = || format!("removing a message of {queue}");
        self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        Ok(())
    }

    pub fn send(&self, queue: &str, body: &str, attributes: &[Attribute]) -> Result<(), Failure> {
        let what = || format!("sending to {queue}");
        let mut asked = self.sqs.send_message().queue_url(queue).message_body(body);
        for attribute in attributes {
            let value = text_value(&attribute.value)
                .map_err(|error| Failure::invalid(format!("{}: {error}", what())))?;
            asked = asked.message_attributes(&attribute.name, value);
        }
        self.threads.block_on(asked.send()).map_err(|error| failure_of(&what(), &error))?;
        Ok(())
    }
}

fn text_value(text: &str) -> Result<MessageAttributeValue, BuildError> {
    MessageAttributeValue::builder().data_type("String").string_value(sendable(text)).build()
}

/// SQS refuses a message with other characters.
fn sendable(text: &str) -> String {
    let is_sendable = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..);
    text.chars().map(|c| if is_sendable(c) { c } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::sendable;

    #[test]
    fn what_a_queue_refuses_is_replaced() {
        assert_eq!(sendable("line 1\r\n\tcafé \u{1F600}"), "line 1\r\n\tcafé \u{1F600}");
        assert_eq!(sendable("a\0b\u{1b}[1m\u{FFFE}"), "a?b?[1m?");
    }
}
