// Package record keeps runs on disk.
//
// A [Record] is the directory of one run. It holds the events of the run, one JSON object per line,
// and the log of each host, byte for byte as the host sent it. Log lines and build progress are not
// recorded as events, because [Record.Lines] reads them from the host's log.
//
// At most one process owns a record and may write to it: the one that holds its [Journal]. Other
// processes can read it at any time. An owner that dies releases the record, since ownership is a
// lock that the kernel manages.
//
// A [Store] is the directory of all records. Whether a host still waits for a deploy is not stored
// anywhere: [Store.Owed] derives it from the records.
package record
