// QuestDB, embedded without its network services: a row a day, a column a reading, as INT, or as
// DOUBLE where readings have decimals. The commands are `ingest` and `ask` of peer.py: COPY loads
// one file into an empty table.
import io.questdb.ServerMain;
import io.questdb.cairo.CairoEngine;
import io.questdb.cairo.ColumnType;
import io.questdb.cairo.security.AllowAllSecurityContext;
import io.questdb.cairo.sql.Record;
import io.questdb.cairo.sql.RecordCursor;
import io.questdb.cairo.sql.RecordCursorFactory;
import io.questdb.griffin.SqlCompiler;
import io.questdb.griffin.SqlExecutionContext;
import io.questdb.griffin.SqlExecutionContextImpl;
import io.questdb.griffin.engine.functions.bind.BindVariableServiceImpl;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

public final class QuestdbPeer implements AutoCloseable {
  private static final int CHECKED_KEYS = 20;
  private static final double WARMING_SHARE = 0.25;  // Of the seconds of a question.
  private static final long COPY_MILLIS_MAX = 1_800_000;
  private static final String DAYS = " where Meter = :meter and Date >= :from and Date < :to";

  private record Key(String meter, String from, String to) {}

  private interface Answer {
    long of(Key key) throws Exception;
  }

  private final Map<String, String> options;
  private final int slots;
  private final int decimals;
  private final ServerMain server;
  private final CairoEngine engine;
  private final SqlExecutionContext context;
  private final Map<String, RecordCursorFactory> compiled = new HashMap<>();

  private QuestdbPeer(Map<String, String> options, Path store, Path input) throws IOException {
    this.options = options;
    slots = 24 * 60 / Integer.parseInt(options.getOrDefault("--minutes", "30"));
    decimals = Integer.parseInt(options.getOrDefault("--decimals", "0"));
    String threads = options.getOrDefault("--threads", "2");
    Map<String, String> settings = new HashMap<>(Map.of(
        "QDB_HTTP_ENABLED", "false", "QDB_HTTP_MIN_ENABLED", "false", "QDB_PG_ENABLED", "false",
        "QDB_LINE_TCP_ENABLED", "false", "QDB_TELEMETRY_ENABLED", "false",
        "QDB_SHARED_WORKER_COUNT", threads, "QDB_CAIRO_COMMIT_MODE", "nosync",
        "QDB_CAIRO_SQL_COPY_ROOT", input.getParent().toString()));
    Files.createDirectories(store);
    server = ServerMain.create(store.toString(), settings);
    server.start();
    engine = server.getEngine();
    context = new SqlExecutionContextImpl(engine, Integer.parseInt(threads)).with(
        AllowAllSecurityContext.INSTANCE,
        new BindVariableServiceImpl(engine.getConfiguration()));
  }

  @Override
  public void close() {
    compiled.values().forEach(RecordCursorFactory::close);
    server.close();
  }

  /** COPY names columns as the header does, without the colon. */
  private List<String> columns() {
    List<String> names = new ArrayList<>();
    for (int minute = 0; minute < 24 * 60; minute += 24 * 60 / slots)
      names.add(String.format("\"%d%02d\"", minute / 60, minute % 60));
    return names;
  }

  private void ingest(Path file) throws Exception {
    StringBuilder text = new StringBuilder("CREATE TABLE days (Meter SYMBOL CAPACITY 16384 CACHE "
        + "INDEX CAPACITY 64, Date TIMESTAMP");
    for (String name : columns())
      text.append(", ").append(name).append(decimals > 0 ? " DOUBLE" : " INT");
    engine.execute(text + ") TIMESTAMP(Date) PARTITION BY MONTH BYPASS WAL", context);
    String id;
    try (SqlCompiler compiler = engine.getSqlCompiler();
        RecordCursorFactory copy = compiler.compile("COPY days FROM '" + file.getFileName()
            + "' WITH HEADER true TIMESTAMP 'Date' FORMAT 'yyyy-MM-dd' ON ERROR ABORT", context)
            .getRecordCursorFactory();
        RecordCursor cursor = copy.getCursor(context)) {
      if (!cursor.hasNext()) throw new IllegalStateException("COPY began nothing");
      id = cursor.getRecord().getStrA(0).toString();
    }
    await(id);
  }

  /** COPY runs in the background; its log tells how it ended. */
  private void await(String id) throws Exception {
    String log = "select count() from 'sys.text_import_log' where id = '" + id
        + "' and phase is null and status ";
    long end = System.currentTimeMillis() + COPY_MILLIS_MAX;
    while (engine.getTableTokenIfExists("sys.text_import_log") == null || count(log
        + "= 'finished'") == 0) {
      if (engine.getTableTokenIfExists("sys.text_import_log") != null
          && count(log + "in ('failed', 'cancelled')") > 0)
        throw new IllegalStateException("COPY failed");
      if (System.currentTimeMillis() > end) throw new IllegalStateException("COPY hangs");
      Thread.sleep(50);
    }
  }

  private long count(String text) throws Exception {
    try (SqlCompiler compiler = engine.getSqlCompiler();
        RecordCursorFactory factory = compiler.compile(text, context).getRecordCursorFactory();
        RecordCursor cursor = factory.getCursor(context)) {
      return cursor.hasNext() ? cursor.getRecord().getLong(0) : 0;
    }
  }

  private static void fsync(Path store) throws IOException {
    try (var files = Files.walk(store)) {
      for (Path file : (Iterable<Path>) files::iterator)
        if (Files.isRegularFile(file) || Files.isDirectory(file))
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
          }
    }
  }

  private interface Row {
    long valueOf(Record record, int[] types);
  }

  /** The sum over the rows of a statement that is compiled once. */
  private long sum(String text, Key key, Row row) throws Exception {
    var bound = context.getBindVariableService();
    bound.setStr("meter", key.meter());
    bound.setTimestamp("from", micros(key.from()));
    bound.setTimestamp("to", micros(key.to()));
    RecordCursorFactory factory = compiled.get(text);
    if (factory == null) {
      try (SqlCompiler compiler = engine.getSqlCompiler()) {
        factory = compiler.compile(text, context).getRecordCursorFactory();
      }
      compiled.put(text, factory);
    }
    int[] types = new int[factory.getMetadata().getColumnCount()];
    for (int i = 0; i < types.length; ++i)
      types[i] = ColumnType.tagOf(factory.getMetadata().getColumnType(i));
    long sum = 0;
    try (RecordCursor cursor = factory.getCursor(context)) {
      Record record = cursor.getRecord();
      while (cursor.hasNext()) sum += row.valueOf(record, types);
    }
    return sum;
  }

  private static long micros(String date) {
    return LocalDate.parse(date).toEpochDay() * 86_400_000_000L;
  }

  /** In units of the last decimal. */
  private long value(Record record, int[] types, int column) {
    return switch (types[column]) {
      case ColumnType.INT -> record.getInt(column);
      case ColumnType.LONG -> record.getLong(column);
      default -> Math.round(record.getDouble(column) * Math.pow(10, decimals));
    };
  }

  private Map<String, Answer> questions() {
    List<String> names = columns();
    String total = String.join("+", names);
    Row first = (record, types) -> value(record, types, 0);
    Row all = (record, types) -> {
      long sum = 0;
      for (int i = 0; i < types.length; ++i) sum += value(record, types, i);
      return sum;
    };
    Answer series = key -> sum("select " + total + " t, Date from days" + DAYS, key, first);
    Map<String, Answer> questions = new LinkedHashMap<>();
    questions.put("day", key -> sum("select " + total + " from days" + DAYS, key, first));
    questions.put("year", series);
    questions.put("readings",
        key -> sum("select " + String.join(",", names) + " from days" + DAYS, key, all));
    questions.put("portfolio", key -> sum("select sum(" + total
        + ") from days where Date >= :from and Date < :to", key, first));
    questions.put("gaps", key -> {
      long wanted = LocalDate.parse(key.to()).toEpochDay() - LocalDate.parse(key.from())
          .toEpochDay();
      return sum("select * from (select Meter, count() c from days where Date >= :from and "
          + "Date < :to) where c < " + wanted, key, (record, types) -> 1);
    });
    return questions;
  }

  private void ask(Path keyFile) throws Exception {
    Map<String, List<Key>> keys = new HashMap<>();
    for (String line : Files.readAllLines(keyFile)) {
      String[] words = line.split(" ");
      keys.computeIfAbsent(words[0], question -> new ArrayList<>())
          .add(new Key(words[1], words[2], words[3]));
    }
    for (var question : questions().entrySet())
      if (keys.containsKey(question.getKey()))
        ask(question.getKey(), question.getValue(), keys.get(question.getKey()));
  }

  private void ask(String question, Answer answer, List<Key> keys) throws Exception {
    double secondsMax = Double.parseDouble(options.getOrDefault("--seconds", "10"));
    List<String> first = new ArrayList<>();
    long warming = System.nanoTime();
    for (int i = 0; i < keys.size(); ++i) {
      if (i >= CHECKED_KEYS && System.nanoTime() - warming > secondsMax * WARMING_SHARE * 1e9) break;
      long got = answer.of(keys.get(i));
      if (i < CHECKED_KEYS) first.add(Long.toString(got));
    }
    List<Long> took = new ArrayList<>();
    long sum = 0;
    long begin = System.nanoTime();
    for (Key key : keys) {
      long at = System.nanoTime();
      sum += answer.of(key);
      took.add(System.nanoTime() - at);
      if (at - begin > secondsMax * 1e9) break;
    }
    took.sort(null);
    System.out.printf("{\"question\":\"%s\",\"asked\":%d,\"of\":%d,\"median_us\":%.3f,"
            + "\"p99_us\":%.3f,\"first\":[%s],\"sum\":%s}%n", question, took.size(), keys.size(),
        took.get(took.size() / 2) / 1e3, took.get(took.size() * 99 / 100) / 1e3,
        String.join(",", first), took.size() == keys.size() ? Long.toString(sum) : "null");
  }

  public static void main(String[] args) throws Exception {
    Map<String, String> options = new HashMap<>();
    List<String> words = new ArrayList<>();
    for (int i = 0; i < args.length; ++i) {
      if (args[i].startsWith("--")) options.put(args[i], args[++i]);
      else words.add(args[i]);
    }
    Path store = Path.of(words.get(1)).toAbsolutePath();
    Path input = Path.of(words.get(words.size() - 1)).toAbsolutePath();
    try (QuestdbPeer peer = new QuestdbPeer(options, store, input)) {
      switch (words.get(0)) {
        case "ingest" -> peer.ingest(input);
        case "ask" -> peer.ask(input);
        default -> throw new IllegalArgumentException(Arrays.toString(args));
      }
    }
    fsync(store);
    System.exit(0);
  }
}
