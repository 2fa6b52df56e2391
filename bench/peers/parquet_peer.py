"""Parquet files of a row a day and a column a reading: what polars_peer.py and pyarrow_peer.py
share. See peer.py."""
import os

from peer import Peer, fsync_all

ROW_GROUP_ROWS = 36_500


class ParquetPeer(Peer):
    """`files` of one ingest are written as one file each where they are sorted by meter, and
    together, sorted, where they are not."""

    def convert(self, files, target):
        raise NotImplementedError

    def ingest(self, files):
        os.mkdir(self.store)
        if is_sorted_by_meter(files):
            for file in files:
                self.convert([file], self.target(file))
        else:
            self.convert(files, f"{self.store}/all.parquet")
        fsync_all(self.store)

    def append(self, files):
        os.mkdir(self.store)
        for file in files:
            target = self.target(file)
            self.convert([file], target)
            fsync_all(target)
        fsync_all(self.store)

    def target(self, file):
        return f"{self.store}/{os.path.basename(file).removesuffix('.csv')}.parquet"


def is_sorted_by_meter(files):
    """Whether the first file goes on with the meter it begins with."""
    with open(files[0], encoding="ascii") as file:
        meters = [line.split(",")[0] for line in (next(file, "") for _ in range(3))]
    return len(files) == 1 or meters[1] == meters[2]
