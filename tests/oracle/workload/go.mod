module gotrace.example/workload

go 1.22
