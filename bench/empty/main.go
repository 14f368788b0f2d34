// Empty does nothing. What it costs no Go program can do without.
package main

func main() {}
