// Package mapped views files as memory: on Unix without reading them, elsewhere by reading them whole. It opens nothing but regular files.
package mapped
