// CMake wants a source for what is only a precompiled header; as a program it wants a main, too.
int main() {}
