#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "store/cassandra/cql_session.h"
#include "store/cassandra/schema.h"

namespace meterline::store::cassandra {

/// Takes what one request writes: the values of `count` rows of one partition, row by row.
using RowsTaker =
    std::function<Result<void>(Statement statement, std::string_view rows, std::size_t count)>;

/// A session that answers like a cluster with all tables and nothing in them but how they are laid
/// out, and hands on what is written: so that rows are counted of which the real writer makes them.
///
/// Threads: `take` is called from those that write.
std::unique_ptr<CqlSession> make_counting_session(RowsTaker take, int buckets);

}  // namespace meterline::store::cassandra
