//! What C++ sees, as <meterline_aws.h>.
use super::objects::Listing;
use super::ranges::ObjectReader;
use super::session::{Session, open_session};

#[cxx::bridge(namespace = "meterline::drivers::aws")]
pub mod ffi {
    /// ObjectFacts of objects.h.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct ObjectFacts {
        bytes: u64,
        etag: String,
        version_id: String,
        modified_s: i64,
    }

    /// ListedObject of objects.h.
    #[derive(Clone, Debug, PartialEq)]
    struct ListedObject {
        key: String,
        facts: ObjectFacts,
    }

    /// ObjectName and GetOptions of objects.h.
    #[derive(Clone, Debug)]
    struct GetRequest {
        bucket: String,
        key: String,
        version_id: String,
        if_match: String,
        range_bytes: u64,
        ranges_in_flight: usize,
    }

    /// An object, and the CRC-32C of what it is to hold.
    #[derive(Clone, Debug)]
    struct PutRequest {
        bucket: String,
        key: String,
        crc32c: u32,
    }

    /// ReceiveOptions of queue.h.
    #[derive(Clone, Debug)]
    struct ReceiveRequest {
        messages_max: i32,
        wait_s: i32,
        visibility_s: i32,
    }

    /// Message of queue.h.
    #[derive(Clone, Debug, PartialEq)]
    struct Message {
        id: String,
        receipt: String,
        body: String,
        receives: i32,
    }

    #[derive(Clone, Debug)]
    struct Attribute {
        name: String,
        value: String,
    }

    extern "Rust" {
        type Session;
        type Listing;
        type ObjectReader;

        fn open_session(region: &str) -> Result<Box<Session>>;

        fn list(self: &Session, bucket: &str, prefix: &str) -> Box<Listing>;
        fn get(self: &Session, request: &GetRequest) -> Result<Box<ObjectReader>>;
        fn put_file(self: &Session, request: &PutRequest, path: &str) -> Result<()>;
        fn put_bytes(self: &Session, request: &PutRequest, bytes: &[u8]) -> Result<()>;
        fn remove_object(self: &Session, bucket: &str, key: &str) -> Result<()>;
        fn receive(self: &Session, queue: &str, request: &ReceiveRequest) -> Result<Vec<Message>>;
        fn change_visibility(
            self: &Session,
            queue: &str,
            receipt: &str,
            visibility_s: i32,
        ) -> Result<()>;
        fn remove(self: &Session, queue: &str, receipt: &str) -> Result<()>;
        fn send(self: &Session, queue: &str, body: &str, attributes: &[Attribute]) -> Result<()>;
        fn read_parameter(self: &Session, name: &str) -> Result<String>;

        /// Empty after the last one.
        fn next_page(self: &mut Listing) -> Result<Vec<ListedObject>>;

        fn facts(self: &ObjectReader) -> &ObjectFacts;
        fn read(self: &mut ObjectReader, into: &mut [u8]) -> Result<usize>;
    }
}
