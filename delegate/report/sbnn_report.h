/* Reports to programs: a function of theirs that is called with each record. For C and C++. */
#ifndef SBNN_DELEGATE_REPORT_SBNN_REPORT_H_
#define SBNN_DELEGATE_REPORT_SBNN_REPORT_H_

#ifdef __cplusplus
extern "C" {
#endif

/* `line` is a record, as README.md beside this documents them: an object of JSON in ASCII, without
 * a line break. It is gone after the call. */
typedef void (*sbnn_report_callback)(const char* line, void* user);

/* Returns the sink's number, from 1 on, which the delegate's option `report_sink` takes, of any
 * number of delegates; or 0: `callback` is null, or there is no memory.
 *
 * The callback is called on the thread that has something to report: the one that makes, resizes,
 * runs or deletes an interpreter. So calls may overlap where several threads do. It may do
 * what it likes, except throw, delete the interpreter that it is called by, or make another one
 * with the same delegate, which is locked while it prepares a graph. */
int sbnn_add_report_sink(sbnn_report_callback callback, void* user);

/* Afterwards the callback is not called any more: calls on other threads have ended when this
 * returns. Delegates that reported to the sink go on without it. May be called at any time, in the
 * callback too. Returns 1; or 0: there is no such sink. */
int sbnn_remove_report_sink(int sink);

#ifdef __cplusplus
}
#endif

#endif /* SBNN_DELEGATE_REPORT_SBNN_REPORT_H_ */
