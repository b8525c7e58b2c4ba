// Package machine does to this machine what Lambda's machines do to a function,
// and reads what it took: shares of CPU time, memory, the page cache.
package machine
