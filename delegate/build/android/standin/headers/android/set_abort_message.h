/* Of Android's headers, what libc++ calls. */
#pragma once

#ifdef __cplusplus
extern "C"
#endif
    void
    android_set_abort_message(const char* message);
